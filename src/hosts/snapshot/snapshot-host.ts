import {chmod, copyFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {scriptFiles} from '../../cpython/interpreter/scripts.js';
import {exactStatSync, readFile, stat} from '../../fs/recorded-fs.js';
import {digestOf, isDigest} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {SnapshotOptions} from '../../pipeline/build-options.js';
import type {Host, LinkedImages, Site} from '../../pipeline/host.js';
import type {Toolchain} from '../../pipeline/toolchain.js';
import {attempt} from '../../fs/files.js';
import {clearFile} from '../../fs/removal.js';
import {output} from '../../pipeline/action-output.js';
import {placeOutput, predictOutput} from '../link/place-output.js';
import {MAGIC} from './dump-format.js';
import {HERE} from './dump-place.js';
import {modulesOfSnapshot, newSeed} from './dump-request.js';
import {isSnapshotOf, keepSnapshot, takeKept, trimKept} from './kept-snapshots.js';
import {makeSnapshot, type SnapshotRecipe} from './make-snapshot.js';
import {type Entry, textOfEntry, writeEntry} from './program-entry.js';
import {whyOutdated} from './outdated.js';
import type {OpenedBase} from './snapshot-base.js';
import {readSnapshot} from './snapshot-contents.js';
import {userEnvironmentOf} from './user-environment.js';

/**
 * The executable that is a program (`--entry`), and the one with a snapshot, beside the one without. Each output path has its own: several
 * may share a build directory.
 */
const PROGRAM = 'python-program-';
const WITH_SNAPSHOT = 'python-snapshot-';

/** An executable and its digest. */
interface Executable {
  readonly path: string;
  readonly digest: string;
}

/**
 * Makes an executable and puts a snapshot of its memory after the imports into it.
 * @param entry the program that the executable is; by default it is an interpreter
 */
export function snapshotHost<T extends Toolchain>(
  base: OpenedBase<T>,
  options: SnapshotOptions,
  entry?: Entry,
): Host<T> {
  return {
    ...base.host,
    async complete(linked, plan, toolchain, site): Promise<Result<LinkedImages>> {
      const {sha256: digest, output: executable} = linked;
      if (digest === null || executable === null) return ok(linked);
      // What follows from a link that has yet to run is not known.
      if (
        site.context.dryRun &&
        (!isDigest(digest) || site.engine.isPending({name: 'executable', path: executable, digest}))
      ) {
        return ok({...linked, pending: true});
      }
      const python = {path: executable, digest};
      const own = base.pythonOf(executable, toolchain);
      // An interpreter is one of a virtual environment if it lies beside the environment's own.
      const isThere = entry !== undefined || dirname(options.out) === dirname(own);
      const program =
        entry === undefined ? ok(python) : await asProgram(python, entry, own, options, base.folder, site);
      if (!program.ok) return program;
      const made = options.snapshot
        ? await withSnapshot(
            {
              ...program.value,
              python: executable,
              name: isThere ? own : executable,
              entry,
              modules: modulesOfSnapshot(plan, entry),
            },
            options,
            {folder: base.folder, work: base.host.places.work},
            site,
          )
        : program;
      if (!made.ok) return made;
      const {path} = made.value;
      if (site.context.dryRun) {
        return ok({
          ...(await predictOutput(options.out, path)),
          sha256: made.value.digest,
          images: path,
        });
      }
      if (options.snapshot) await announceReads(path, site);
      const placed = await placeOutput(options.out, path);
      return placed.ok ? ok({output: placed.value, sha256: made.value.digest, images: path}) : placed;
    },
  };
}

/**
 * `snapshot:program`: the interpreter as a program, without a snapshot.
 * @param own its `sys.executable`
 */
async function asProgram(
  python: Executable,
  entry: Entry,
  own: string,
  {out}: SnapshotOptions,
  folder: string,
  site: Site,
): Promise<Result<Executable>> {
  if (!isDigest(python.digest)) return fail('BUG', `${python.digest} is not a digest`);
  const made = await site.engine.run({
    id: 'snapshot:program',
    tools: [],
    arguments: {kind: entry.kind, text: textOfEntry(entry), python: own},
    environment: {},
    inputs: [{name: 'executable', path: python.path, digest: python.digest}],
    outputs: [{name: 'executable', path: join(folder, PROGRAM + nameOf(out)), executable: true}],
    storage: 'in-place',
    async execute({outputs}) {
      const written = writeEntry(await readFile(python.path), entry, own);
      if (!written.ok) return written;
      const out = outputs['executable'] ?? '';
      await clearFile(out);
      await writeFile(out, written.value, {flag: 'wx', mode: 0o600});
      await chmod(out, (await stat(python.path)).mode & 0o777);
      return ok();
    },
  });
  return made.ok ? ok(output(made.value, 'executable')) : made;
}

/** `snapshot:python`, in place. Until it is done, the output path leads to the executable without a snapshot. */
async function withSnapshot(
  {
    path: executable,
    digest,
    ...given
  }: Executable & Pick<SnapshotRecipe, 'python' | 'name' | 'entry' | 'modules'>,
  {out}: SnapshotOptions,
  {folder: beside, work}: {readonly folder: string; readonly work: string},
  site: Site,
): Promise<Result<Executable>> {
  if (!isDigest(digest)) return fail('BUG', `${digest} is not a digest`);
  const path = join(beside, WITH_SNAPSHOT + nameOf(out));
  const environment = userEnvironmentOf(site.context);
  const old = await readSnapshot(path);
  const contents = old.ok ? old.value.snapshot : undefined;
  const outdated = contents && (await whyOutdated(path, contents, environment, site.context));
  const kept = join(work, 'snapshots', nameOf(out));
  const scripts = await site.engine.sources(
    scriptFiles('record_imports.py', 'prepare_dump.py', 'locate_words.py'),
  );
  if (!scripts.ok) return scripts;
  const tools = scripts.value.map(({name, digest}) => ({name, digest}));
  const common = {scripts: digestOf(JSON.stringify(tools)), calledAs: out, environment};
  const wanted = {...common, executable: digest, modules: given.modules};
  const made = await site.engine.run({
    id: 'snapshot:python',
    tools,
    arguments: {modules: given.modules, calledAs: out, format: MAGIC},
    environment: {},
    inputs: [{name: 'executable', path: executable, digest}],
    outputs: [{name: 'executable', path, executable: true}],
    storage: 'in-place',
    ...(outdated === undefined ? {} : {outdated}),
    async execute({log, outputs}) {
      const plainly = await placeOutput(out, executable);
      if (!plainly.ok) return plainly;
      const written = outputs['executable'] ?? '';
      if (contents !== undefined) {
        // The last build was one of another output path.
        if (!site.context.force && outdated?.length === 0 && isSnapshotOf(contents, wanted)) return ok();
        await keepSnapshot(path, kept);
      }
      const isTaken = !site.context.force && (await takeKept(wanted, kept, written, site.context));
      await trimKept(kept);
      if (isTaken) {
        log('a snapshot of an earlier build is that of these surroundings');
        return ok();
      }
      const folder = join(work, 'snapshot');
      const seed = newSeed();
      const recipe = {...given, ...common, executable, digest, folder, seed, place: HERE};
      // The imports run where starts do: the output path leads to the file that gets the snapshot, and the stamps of sources are beside it.
      const plain = await attempt('copy', executable, async () => {
        await clearFile(written);
        await copyFile(executable, written);
        await copyFile(`${given.python}.stamps`, `${written}.stamps`);
      });
      const led = plain.ok ? await placeOutput(out, written) : plain;
      const made = led.ok ? await makeSnapshot(recipe, written, site, log) : led;
      if (!made.ok) await placeOutput(out, executable);
      return made;
    },
  });
  return made.ok ? ok(output(made.value, 'executable')) : made;
}

/** A name for the files of an output path. */
function nameOf(out: string): string {
  return digestOf(out).slice(0, 12);
}

/** A watch has to see what imports looked at besides the sources. */
async function announceReads(path: string, {context: {repetition}}: Site): Promise<void> {
  if (repetition?.onReads === undefined) return;
  const read = await readSnapshot(path);
  const paths = read.ok ? (read.value.snapshot?.files ?? []) : [];
  const listed = paths.filter((each) => exactStatSync(each)?.isDirectory() === true);
  repetition.onReads(
    paths.filter((each) => !listed.includes(each)),
    listed,
  );
}
