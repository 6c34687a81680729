import {join} from 'node:path';
import {z} from 'zod';
import {ARCHIVED_LIBRARIES} from '../../cpython/build/builtin-extensions.js';
import {runProcess} from '../../exec/process.js';
import {memoize} from '../../fs/memo.js';
import {isFileSync} from '../../fs/recorded-fs.js';
import type {Artifact} from '../../model/action.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {collectResults, ok, type Result} from '../../model/result.js';
import {quoteForShell, shellWords} from '../../model/shell-words.js';
import type {Places} from '../../pipeline/build-places.js';
import type {Site} from '../../pipeline/host.js';

export interface ArchiveSearch {
  /** The compiler: a command, as in CC. */
  readonly command: string;
  /** What it consists of. */
  readonly files: readonly string[];
}

/** The archives that the compiler finds of the libraries in ARCHIVED_LIBRARIES, each named by its flag (`-lz` for libz.a). */
export async function findArchives(
  search: ArchiveSearch,
  places: Places,
  site: Pick<Site, 'engine' | 'environment' | 'context'>,
): Promise<Result<readonly Artifact[]>> {
  const folders = await libraryFolders(search, places, site);
  if (!folders.ok) return folders;
  const found: Result<Artifact>[] = [];
  for (const name of ARCHIVED_LIBRARIES) {
    const path = folders.value.map((folder) => `${folder}/lib${name}.a`).find((each) => isFileSync(each));
    if (path !== undefined) found.push(await site.engine.source(`-l${name}`, path));
  }
  return collectResults(found);
}

/** Where the compiler looks for libraries, first things first. Kept as long as it is the same compiler. */
function libraryFolders(
  {command, files}: ArchiveSearch,
  {work}: Places,
  {environment, context: {signal}}: Pick<Site, 'environment' | 'context'>,
): Promise<Result<readonly string[]>> {
  const question = canonicalJson({command, environment});
  const schema: z.ZodType<readonly string[]> = z.array(z.string());
  return memoize(join(work, 'library-folders.json'), question, schema, async () => {
    const args = ['-c', `${command} -print-search-dirs`];
    const asked = await runProcess({file: 'sh', args, cwd: '/', environment, signal});
    return asked.ok ? ok({answer: parseSearchDirs(asked.value.stdout), files}) : asked;
  });
}

/** The directories of libraries in the output of `-print-search-dirs` of GCC and Clang; those that are relative belong to nobody. */
export function parseSearchDirs(text: string): readonly string[] {
  const [, listed = ''] = /^libraries: =?(.*)$/m.exec(text) ?? [];
  const folders = listed.split(':').filter((folder) => folder.startsWith('/'));
  return [...new Set(folders.map((folder) => folder.replace(/(?<=.)\/+$/, '')))];
}

/** Libraries, as shell words, without the flags of those whose archives are linked; unchanged without archives. */
export function withoutArchived(libraries: string, archives: readonly Artifact[]): string {
  if (archives.length === 0) return libraries;
  const linked = new Set(archives.map(({name}) => name));
  return quoteForShell(shellWords(libraries).filter((word) => !linked.has(word)));
}
