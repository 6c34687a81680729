import {chmod, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {scriptFiles} from '../../cpython/interpreter/scripts.js';
import {readFile, stat} from '../../fs/recorded-fs.js';
import {clearFile} from '../../fs/removal.js';
import {isDigest} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {SnapshotOptions} from '../../pipeline/build-options.js';
import type {Host, LinkedImages, Site} from '../../pipeline/host.js';
import {output} from '../../pipeline/images/module-images.js';
import {placeOutput} from '../link/place-output.js';
import {sourceHost, type SourceHost, type SourceToolchain} from '../source/source-host.js';
import {snapshotIn} from './append-snapshot.js';
import {MAGIC} from './dump-format.js';
import {modulesOfSnapshot} from './dump-request.js';
import {isUpToDate} from './file-states.js';
import {makeSnapshot, type SnapshotRecipe} from './make-snapshot.js';
import {type Entry, textOfEntry, writeEntry} from './program-entry.js';

/** The CPython versions whose start and end `runtime/snapshot` was compared with. */
export const SNAPSHOT_SERIES: readonly string[] = ['3.13'];

/** The executable that is a program (`--entry`), and the one with a snapshot, beside the one without. */
const PROGRAM = 'python-program';
const WITH_SNAPSHOT = 'python-snapshot';

/** An executable and its digest. */
interface Executable {
  readonly path: string;
  readonly digest: string;
}

/**
 * Builds an interpreter from source with all standard extension modules in it, and puts a snapshot of its memory after the imports
 * into it. Fails as `sourceHost` does, and with PYTHON_VERSION for a version whose memory is not known.
 * @param entry the program that the executable is; by default it is an interpreter
 */
export async function snapshotHost(
  options: SnapshotOptions,
  entry?: Entry,
): Promise<Result<Host<SourceToolchain>>> {
  const plain = {...options, out: undefined, pie: false, builtinExtensions: true, forSnapshot: true};
  const source = await sourceHost(plain);
  if (!source.ok) return source;
  const {version} = source.value.tree;
  if (!SNAPSHOT_SERIES.includes(version.series)) {
    return fail(
      'PYTHON_VERSION',
      `snapshots support CPython ${SNAPSHOT_SERIES.join(', ')}, not ${version.text}`,
    );
  }
  return ok({
    ...source.value,
    kind: 'snapshot',
    async complete(linked, plan, site): Promise<Result<LinkedImages>> {
      const {sha256: digest, output: executable} = linked;
      if (site.context.dryRun || digest === null || executable === null) return ok(linked);
      const python = {path: executable, digest};
      const program =
        entry === undefined ? ok(python) : await asProgram(python, entry, source.value.places, site);
      if (!program.ok) return program;
      const made = options.snapshot
        ? await withSnapshot(
            {...program.value, python: executable, entry, modules: modulesOfSnapshot(plan, entry)},
            options,
            source.value,
            site,
          )
        : program;
      if (!made.ok) return made;
      const {path} = made.value;
      const placed = await placeOutput(options.out, path, false);
      return placed.ok ? ok({output: placed.value, sha256: made.value.digest, images: path}) : placed;
    },
  });
}

/** `snapshot:program`: the interpreter as a program, without a snapshot. */
async function asProgram(
  python: Executable,
  entry: Entry,
  places: SourceHost['places'],
  site: Site,
): Promise<Result<Executable>> {
  if (!isDigest(python.digest)) return fail('BUG', `${python.digest} is not a digest`);
  const made = await site.engine.run({
    id: 'snapshot:program',
    tools: [],
    arguments: {kind: entry.kind, text: textOfEntry(entry), python: python.path},
    environment: {},
    inputs: [{name: 'executable', path: python.path, digest: python.digest}],
    outputs: [{name: 'executable', path: join(places.cpython, PROGRAM), executable: true}],
    storage: 'in-place',
    async execute({outputs}) {
      const written = writeEntry(await readFile(python.path), entry, python.path);
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
  {path: executable, digest, ...given}: Executable & Pick<SnapshotRecipe, 'python' | 'entry' | 'modules'>,
  {out}: SnapshotOptions,
  {places}: SourceHost,
  site: Site,
): Promise<Result<Executable>> {
  if (!isDigest(digest)) return fail('BUG', `${digest} is not a digest`);
  const path = join(places.cpython, WITH_SNAPSHOT);
  const environment = userEnvironment(site);
  const states = await stat(path).then(
    () => readFile(path),
    () => undefined,
  );
  const old = states === undefined ? undefined : snapshotIn(states);
  if (old !== undefined && !isUpToDate(old)) {
    const plainly = await placeOutput(out, executable, false);
    if (!plainly.ok) return plainly;
    await clearFile(path);
  }
  const scripts = await site.engine.sources(
    (['record_imports.py', 'locate_words.py'] as const).flatMap(scriptFiles),
  );
  if (!scripts.ok) return scripts;
  const made = await site.engine.run({
    id: 'snapshot:python',
    tools: scripts.value.map(({name, digest}) => ({name, digest})),
    arguments: {modules: given.modules, calledAs: out, format: MAGIC},
    environment: {},
    inputs: [{name: 'executable', path: executable, digest}],
    outputs: [{name: 'executable', path, executable: true}],
    storage: 'in-place',
    async execute({log, outputs}) {
      const plainly = await placeOutput(out, executable, false);
      if (!plainly.ok) return plainly;
      const folder = join(places.work, 'snapshot');
      const recipe = {...given, executable, calledAs: out, environment, folder};
      return makeSnapshot(recipe, outputs['executable'] ?? '', site, log);
    },
  });
  return made.ok ? ok(output(made.value, 'executable')) : made;
}

/** The environment of the process whose memory is kept: the user's, without what changes how the interpreter starts. */
function userEnvironment({context: {userEnvironment: own}}: Site): Readonly<Record<string, string>> {
  const entries = Object.entries(own).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(PYTHON|FLASHFREEZE)/.test(entry[0]),
  );
  return Object.fromEntries(entries);
}
