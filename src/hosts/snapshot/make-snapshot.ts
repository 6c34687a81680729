import {createWriteStream} from 'node:fs';
import {chmod, rename, utimes, writeFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {isFileSync, readFile, stat} from '../../fs/recorded-fs.js';
import {ensureFolder, hashFile, temporaryIn} from '../../fs/files.js';
import {messageOf} from '../../model/errno.js';
import {type Result, fail, ok} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import {appendSnapshot} from './append-snapshot.js';
import {clearWords} from './compare-dumps.js';
import {imagesIn, withImagesOf} from './images-in-place.js';
import {changedFiles} from './file-states.js';
import {type DumpHeader, readFilePaths, readHeader, writeField} from './dump-format.js';
import {sealHeader} from './header-checksum.js';
import {addRecord, listUsedPages, packSnapshot} from './pack-snapshot.js';
import {putMovedWords} from './moved-words.js';
import {type Imports, proveImports} from './prove-imports.js';
import {recordImports} from './record-imports.js';
import type {RecordedImports} from './recorded-imports.js';
import {encodeRecord, memoryDigest} from './snapshot-record.js';
import {findUsedPages} from './find-used-pages.js';
import {leftOutOfSnapshot, readsOf, withDependents} from './unkeepable.js';

/** What a snapshot is made of. */
export interface SnapshotRecipe extends Imports {
  /** The digest of the executable. */
  readonly digest: string;
  /** That of the scripts that run in the processes of the imports; undefined for a release. */
  readonly scripts?: string | undefined;
  /** The time that the result gets, in seconds; by default the present one. */
  readonly modified?: number | undefined;
}

/** How many stretches of pages that each start uses fit into a header: 83 are those of the modules of a start, about 150 those of asyncio. */
const ROOM = 256;

/**
 * Records what the imports look at, runs them in two processes, compares their memory, and writes an executable with a snapshot to `out`.
 * Fails with SNAPSHOT when the imports leave something that cannot be kept, or differ in the two, and no module is known to do that.
 * @param log gets what the imports print
 */
export async function makeSnapshot(
  recipe: SnapshotRecipe,
  out: string,
  site: Pick<Site, 'context'>,
  log: (text: string) => void,
): Promise<Result<void>> {
  const made = await ensureFolder(recipe.folder);
  if (!made.ok) return made;
  try {
    // This run also writes the bytecode files that the others read.
    let first = await recordImports(recipe, site);
    if (!first.ok) return first;
    // Caches of modules that it has filled are there the next time, and warnings of compiling are over.
    if (first.value.events.some(({kind}) => kind === 'write' || kind === 'output')) {
      first = await recordImports(recipe, site);
    }
    if (!first.ok) return first;
    const proved = await proveImports(recipe, first.value, site);
    if (!proved.ok) return proved;
    const {dump, said, modules, left, recorded, explained, moved} = proved.value;
    if (said !== '') log(said);
    const header = readHeader(dump);
    if (!header.ok) return header;
    const isReleased = recipe.releasedAt !== undefined;
    // What differs in each process would differ in each release.
    if (isReleased) clearWords(dump, header.value, explained);
    putMovedWords(dump, header.value, moved);
    const all = withDependents(left, recorded, recipe.modules);
    const {times} = recorded;
    const variables = readsOf(recorded, all).filter(({kind}) => kind === 'variable');
    const executable = await readFile(recipe.executable);
    const withImages = withImagesOf(dump, header.value, executable);
    // Pages of the stack are others in each process, and releases are the same byte for byte.
    const packed = packSnapshot(dump, header.value, withImages, {moved, room: isReleased ? 0 : ROOM});
    if (!packed.ok) return packed;
    const record = encodeRecord({
      ...{executable: recipe.digest, selected: [...recipe.modules], seed: recipe.seed},
      ...(recipe.scripts === undefined ? {} : {scripts: recipe.scripts}),
      digests: isReleased ? {} : await digestsOf(dump, header.value, recorded),
      modules: [...modules],
      leftOut: [...left],
      importers: [...all].filter((name) => left.every(({module}) => module !== name)).sort(),
      readVariables: [...new Set(variables.map(({name}) => name))].sort(),
      ranIn: isReleased ? null : (recipe.cwd ?? site.context.cwd),
      milliseconds: isReleased
        ? null
        : Math.round([...all].reduce((sum, name) => sum + (times.get(name) ?? 0), 0)),
      memory: memoryDigest(packed.value, imagesIn(withImages)),
    });
    // A start compares it, to recognise a file that was changed.
    const modified = recipe.modified ?? Math.floor(Date.now() / 1000);
    const snapshot = addRecord(packed.value, record);
    writeField(snapshot, 'modified', modified);
    const sealed = readHeader(snapshot);
    if (!sealed.ok) return sealed;
    sealHeader(snapshot, sealed.value);
    const whole = appendSnapshot(withImages, snapshot);
    if (!whole.ok) return whole;
    // A start finds the old file or the new one. As private as what it was made from: the imports' memory holds their code.
    const fresh = temporaryIn(dirname(out));
    await writeFile(fresh, whole.value, {flag: 'wx', mode: 0o600});
    await utimes(fresh, modified, modified);
    await chmod(fresh, (await stat(recipe.executable)).mode & 0o777);
    if (!isReleased) {
      const used = await findUsedPages(
        {...recipe, file: fresh},
        {...site.context, cwd: recipe.cwd ?? site.context.cwd},
      );
      listUsedPages(snapshot, sealed.value, used);
      sealHeader(snapshot, sealed.value);
      const place = {flags: 'r+', start: whole.value.length - snapshot.length};
      await pipeline([snapshot.subarray(0, sealed.value.headerSize)], createWriteStream(fresh, place));
      await utimes(fresh, modified, modified);
    }
    await rename(fresh, out);
    const warning = leftOutOfSnapshot(left, all, recorded);
    if (warning !== undefined) site.context.events.emit(warning);
    return ok();
  } catch (error) {
    return fail('IO', `cannot make the snapshot: ${messageOf(error)}`);
  }
}

/** Files that were examined are left out: their times may be in memory. So are those that have changed since. */
async function digestsOf(
  dump: Buffer,
  header: DumpHeader,
  {reads}: RecordedImports,
): Promise<Readonly<Record<string, string>>> {
  const examined = new Set(reads.filter(({kind}) => kind === 'examined').map(({name}) => name));
  const changed = new Set(changedFiles(dump));
  const digests: Record<string, string> = {};
  for (const path of readFilePaths(dump, header)) {
    if (examined.has(path) || changed.has(path) || !isFileSync(path)) continue;
    const read = await hashFile(path);
    if (read.ok) digests[path] = read.value.digest;
  }
  return digests;
}
