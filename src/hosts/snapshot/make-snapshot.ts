import {chmod, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {readFile, stat} from '../../fs/recorded-fs.js';
import {ensureFolder} from '../../fs/files.js';
import {clearFile} from '../../fs/removal.js';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import {messageOf} from '../../model/errno.js';
import type {Failure} from '../../model/failure.js';
import {type Result, err, fail, ok} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import {appendSnapshot} from './append-snapshot.js';
import {compareDumps, type UnexplainedWord} from './compare-dumps.js';
import {readHeader, writeField} from './dump-format.js';
import {newSeed} from './dump-request.js';
import {sealHeader} from './header-checksum.js';
import {packSnapshot} from './pack-snapshot.js';
import {type Entry, importOf} from './program-entry.js';
import {recordImports} from './record-imports.js';
import type {RecordedImports} from './recorded-imports.js';
import {dumpPlaced, runDump} from './run-dump.js';
import {symbolsOf, unexplainedFailure, withoutExplained} from './unexplained.js';
import {
  findUnkeepable,
  findUnstable,
  leftOutOfSnapshot,
  parseLocated,
  readsOf,
  type Unkeepable,
  withDependents,
} from './unkeepable.js';

/** What a snapshot is made of. */
export interface SnapshotRecipe {
  /** The executable, without a snapshot. */
  readonly executable: string;
  /** The interpreter that is no program. */
  readonly python: string;
  readonly entry: Entry | undefined;
  /** The path by which it is called: it lies there, or a link to it does. */
  readonly calledAs: string;
  readonly modules: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A directory for the dumps. */
  readonly folder: string;
}

/** How often modules are left out because two dumps differ. */
const ATTEMPTS = 5;
/** How many words of a difference are located. */
const LOCATED = 2000;

/**
 * Records what the imports look at, runs them in two processes, compares their memory, and writes an executable with a snapshot to `out`.
 * Modules that cannot be kept are left out, with what imports them. Fails with SNAPSHOT when the imports leave something that
 * cannot be kept, or differ in the two, and no module is known to do that.
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
  const files = ['first', 'second'].map((name) => join(recipe.folder, `${name}.dump`));
  const placement = join(recipe.folder, 'placement');
  try {
    // This run also writes the bytecode files that the others read.
    const recorded = await recordImports(recipe, site);
    if (!recorded.ok) return recorded;
    const proved = await proveWithout(recipe, recorded.value, {files, placement}, site);
    if (!proved.ok) return proved;
    const {dump, said, left} = proved.value;
    if (said !== '') log(said);
    const header = readHeader(dump);
    if (!header.ok) return header;
    const executable = await readFile(recipe.executable);
    const packed = packSnapshot(dump, header.value, executable);
    if (!packed.ok) return packed;
    // A start compares it, to recognise a file that was changed.
    const modified = Math.floor(Date.now() / 1000);
    writeField(packed.value, 'modified', modified);
    const sealed = readHeader(packed.value);
    if (!sealed.ok) return sealed;
    sealHeader(packed.value, sealed.value);
    const whole = appendSnapshot(executable, packed.value);
    if (!whole.ok) return whole;
    await clearFile(out);
    await writeFile(out, whole.value, {flag: 'wx', mode: 0o600});
    await utimes(out, modified, modified);
    // As private as what it was made from: the imports' memory holds their code.
    await chmod(out, (await stat(recipe.executable)).mode & 0o777);
    const all = withDependents(left, recorded.value, recipe.modules);
    const warning = leftOutOfSnapshot(left, all, recorded.value);
    if (warning !== undefined) site.context.events.emit(warning);
    return ok();
  } catch (error) {
    return fail('IO', `cannot make the snapshot: ${messageOf(error)}`);
  } finally {
    await Promise.all([...files, placement].map((file) => clearFile(file)));
  }
}

interface Proved {
  readonly dump: Buffer;
  /** What the imports printed. */
  readonly said: string;
  readonly left: readonly Unkeepable[];
}

/** A dump that was proved, without the modules that cannot be kept. */
async function proveWithout(
  recipe: SnapshotRecipe,
  recorded: RecordedImports,
  {files, placement}: {readonly files: readonly string[]; readonly placement: string},
  site: Pick<Site, 'context'>,
): Promise<Result<Proved>> {
  const seed = newSeed();
  let left = findUnkeepable(recorded, recipe.entry !== undefined);
  let problem: Failure | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const all = withDependents(left, recorded, recipe.modules);
    const modules = recipe.modules.filter((name) => !all.has(name));
    const without = left.map(({module}) => module);
    const read = readsOf(recorded, all);
    const {entry} = recipe;
    const check = entry?.kind === 'function' && !all.has(entry.module) ? importOf(entry) : undefined;
    const request = {modules, without, read, seed, check, placement};
    const dumps: Buffer[] = [];
    let said = '';
    await clearFile(placement);
    for (const path of files) {
      const done = await dumpPlaced(recipe, request, path, site);
      if (!done.ok) return done;
      ({said} = done.value);
      dumps.push(done.value.bytes);
    }
    const [first = Buffer.alloc(0), second = first] = dumps;
    const difference = await differenceOf(first, second, recipe, site);
    if (!difference.ok) return difference;
    if (difference.value === undefined) return ok({dump: second, said, left});
    problem = difference.value.failure;
    const output = {kind: 'dump', path: files[0] ?? ''} as const;
    const words = difference.value.words.filter(({part}) => part === 'region').map(({address}) => address);
    const locate = {script: scriptPath('locate_words.py'), words: words.slice(0, LOCATED)};
    const located = words.length === 0 ? ok('') : await runDump(recipe, {...request, output, locate}, site);
    if (!located.ok) return located;
    const isNew = ({module}: Unkeepable): boolean => !all.has(module) && recipe.modules.includes(module);
    const blamed = parseLocated(located.value, recorded).filter(isNew);
    const more = blamed.length > 0 ? blamed : findUnstable(recorded).filter(isNew);
    // The first of two runs may write files that the second one reads, such as bytecode.
    if (more.length === 0 && attempt > 0) break;
    left = [...left, ...more];
  }
  return err(problem ?? fail('BUG', 'there is no difference').failure);
}

/** How two dumps differ; undefined when all differences are explained. */
async function differenceOf(
  first: Buffer,
  second: Buffer,
  recipe: SnapshotRecipe,
  site: Pick<Site, 'context'>,
): Promise<Result<{readonly words: readonly UnexplainedWord[]; readonly failure: Failure} | undefined>> {
  const compared = compareDumps(first, second);
  if (!compared.ok) return ok({words: [], failure: compared.failure});
  if (compared.value.length === 0) return ok(undefined);
  const symbols = await symbolsOf(recipe, site);
  if (!symbols.ok) return symbols;
  const words = withoutExplained(compared.value, symbols.value);
  return ok(words.length === 0 ? undefined : {words, failure: unexplainedFailure(words, symbols.value)});
}
