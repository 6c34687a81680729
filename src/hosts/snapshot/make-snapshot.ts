import {chmod, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {readFile, stat} from '../../fs/recorded-fs.js';
import {ensureFolder} from '../../fs/files.js';
import {clearFile} from '../../fs/removal.js';
import {runProcess} from '../../exec/process.js';
import {messageOf} from '../../model/errno.js';
import {type Result, err, fail, ok} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import {appendSnapshot} from './append-snapshot.js';
import {compareDumps} from './compare-dumps.js';
import {readHeader, writeField} from './dump-format.js';
import {type DumpRequest, dumpRequestText, newSeed} from './dump-request.js';
import {packSnapshot} from './pack-snapshot.js';
import {symbolsOf, unexplainedFailure, withoutExplained} from './unexplained.js';

/** What a snapshot is made of. */
export interface SnapshotRecipe {
  /** The linked executable, without a snapshot. */
  readonly executable: string;
  /** The path by which it is called: it lies there, or a link to it does. */
  readonly calledAs: string;
  readonly modules: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A directory for the dumps. */
  readonly folder: string;
}

/**
 * Runs the imports in two processes, compares their memory, and writes an executable with a snapshot to `out`. Fails with SNAPSHOT when
 * the imports leave something that cannot be kept, or differ in the two.
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
  const seed = newSeed();
  // The first run may write bytecode files that the next one reads; then the next two are compared.
  const files = ['first', 'second', 'third'].map((name) => join(recipe.folder, `${name}.dump`));
  const placement = join(recipe.folder, 'placement');
  try {
    let previous: Buffer | undefined;
    let proof: Result<Buffer> | undefined;
    for (const path of files) {
      const latest = await dumpPlaced(recipe, {seed, path, placement}, site, log);
      if (!latest.ok) return latest;
      proof = previous === undefined ? undefined : await prove(previous, latest.value, recipe, site);
      if (proof?.ok === true) break;
      previous = latest.value;
    }
    if (proof?.ok !== true) return proof ?? fail('BUG', 'there is only one dump');
    const first = proof.value;
    const header = readHeader(first);
    if (!header.ok) return header;
    const executable = await readFile(recipe.executable);
    const packed = packSnapshot(first, header.value, executable);
    if (!packed.ok) return packed;
    // A start compares it, to recognise a file that was changed.
    const modified = Math.floor(Date.now() / 1000);
    writeField(packed.value, 'modified', modified);
    const whole = appendSnapshot(executable, packed.value);
    if (!whole.ok) return whole;
    await writeFile(out, whole.value);
    await utimes(out, modified, modified);
    // As private as what it was made from: the imports' memory holds their code.
    await chmod(out, (await stat(recipe.executable)).mode & 0o777);
    return ok();
  } catch (error) {
    return fail('IO', `cannot make the snapshot: ${messageOf(error)}`);
  } finally {
    await Promise.all([...files, placement].map((file) => clearFile(file)));
  }
}

/** One of two dumps that are equal but for words that are explained. Fails with SNAPSHOT. */
async function prove(
  first: Buffer,
  second: Buffer,
  recipe: SnapshotRecipe,
  site: Pick<Site, 'context'>,
): Promise<Result<Buffer>> {
  const compared = compareDumps(first, second);
  if (!compared.ok) return compared;
  if (compared.value.length === 0) return ok(second);
  const symbols = await symbolsOf(recipe, site);
  if (!symbols.ok) return symbols;
  const words = withoutExplained(compared.value, symbols.value);
  return words.length === 0 ? ok(second) : err(unexplainedFailure(words, symbols.value));
}

/**
 * A dump in which lasting blocks lie together, as another process has found out: in the file `placement`, which is made unless it is of the
 * same allocations. Fails as `runImports`.
 */
async function dumpPlaced(
  recipe: SnapshotRecipe,
  {seed, path, placement}: {readonly seed: number; readonly path: string; readonly placement: string},
  site: Pick<Site, 'context'>,
  log: (text: string) => void,
): Promise<Result<Buffer>> {
  for (let attempt = 0; ; attempt++) {
    const isRecorded = await stat(placement).then(
      () => true,
      () => false,
    );
    if (!isRecorded) {
      const recorded = await runImports(recipe, {seed, output: {kind: 'record', path: placement}}, site, log);
      if (!recorded.ok) return recorded;
    }
    const done = await runImports(recipe, {seed, output: {kind: 'dump', path}, placement}, site, log);
    if (!done.ok) return done;
    const bytes = await readFile(path);
    const header = readHeader(bytes);
    if (!header.ok) return header;
    if (header.value.allocationCount === (await stat(placement)).size || attempt > 0) return ok(bytes);
    await clearFile(placement);
  }
}

/** Runs the imports in a process of their own. Fails with SNAPSHOT when they leave what cannot be kept, and as runProcess(). */
async function runImports(
  {calledAs, modules, environment, folder}: SnapshotRecipe,
  wanted: Omit<DumpRequest, 'modules'>,
  {context: {signal, cwd}}: Pick<Site, 'context'>,
  log: (text: string) => void,
): Promise<Result<void>> {
  const request = join(folder, 'request.txt');
  await clearFile(wanted.output.path);
  await writeFile(request, dumpRequestText({modules, ...wanted}));
  const done = await runProcess({
    file: calledAs,
    args: [],
    cwd,
    environment: {...environment, FLASHFREEZE_SNAPSHOT: request},
    signal,
  });
  if (!done.ok) return done;
  const {exitCode, stdout, stderr} = done.value;
  const said = `${stdout}${stderr}`.trim();
  if (exitCode !== 0) {
    const reason = stderr.trim().split('\n').at(-1) ?? '';
    return fail(
      'SNAPSHOT',
      `cannot make a snapshot: ${reason === '' ? 'the imports end the process' : reason}`,
      {
        ...(said === reason ? {} : {details: said}),
        hint: 'leave the module out with --exclude, or build without a snapshot (--snapshot=false)',
      },
    );
  }
  if (said !== '') log(said);
  return ok();
}
