import {isAbsolute} from 'node:path';
import {ARCHIVED_LIBRARIES} from '../../cpython/build/builtin-extensions.js';
import {runProcess} from '../../exec/process.js';
import type {Artifact} from '../../model/action.js';
import {collectResults, type Result} from '../../model/result.js';
import {quoteForShell, shellWords} from '../../model/shell-words.js';
import type {Site} from '../../pipeline/host.js';

/**
 * The archives that the compiler finds of the libraries in ARCHIVED_LIBRARIES, each named by its flag (`-lz` for libz.a).
 * @param compiler a command, as in CC
 */
export async function findArchives(
  compiler: string,
  {engine, environment, context: {signal}}: Pick<Site, 'engine' | 'environment' | 'context'>,
): Promise<Result<readonly Artifact[]>> {
  const found: Result<Artifact>[] = [];
  for (const name of ARCHIVED_LIBRARIES) {
    const args = ['-c', `${compiler} -print-file-name=lib${name}.a`];
    const asked = await runProcess({file: 'sh', args, cwd: '/', environment, signal});
    if (!asked.ok) return asked;
    // The name as it is, without a directory, if there is none.
    const path = asked.value.stdout.trim();
    if (isAbsolute(path)) found.push(await engine.source(`-l${name}`, path));
  }
  return collectResults(found);
}

/** Libraries, as shell words, without the flags of those whose archives are linked; unchanged without archives. */
export function withoutArchived(libraries: string, archives: readonly Artifact[]): string {
  if (archives.length === 0) return libraries;
  const linked = new Set(archives.map(({name}) => name));
  return quoteForShell(shellWords(libraries).filter((word) => !linked.has(word)));
}
