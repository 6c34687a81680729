import {join} from 'node:path';
import {readFile, stat} from '../../fs/recorded-fs.js';
import {clearFile} from '../../fs/removal.js';
import {isDigest} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {SnapshotOptions} from '../../pipeline/build-options.js';
import type {Host, LinkedImages, Site} from '../../pipeline/host.js';
import {output} from '../../pipeline/images/module-images.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import {placeOutput} from '../link/place-output.js';
import {sourceHost, type SourceHost, type SourceToolchain} from '../source/source-host.js';
import {snapshotIn} from './append-snapshot.js';
import {MAGIC} from './dump-format.js';
import {modulesOfSnapshot} from './dump-request.js';
import {isUpToDate} from './file-states.js';
import {makeSnapshot} from './make-snapshot.js';

/** The CPython versions whose start and end `runtime/snapshot` was compared with. */
export const SNAPSHOT_SERIES: readonly string[] = ['3.13'];

/** The executable with a snapshot, beside the one without. */
const WITH_SNAPSHOT = 'python-snapshot';

/**
 * Builds an interpreter from source with all standard extension modules in it, and puts a snapshot of its memory after the imports
 * into it. Fails as `sourceHost` does, and with PYTHON_VERSION for a version whose memory is not known.
 */
export async function snapshotHost(options: SnapshotOptions): Promise<Result<Host<SourceToolchain>>> {
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
      const {sha256, output: executable} = linked;
      if (site.context.dryRun || sha256 === null || executable === null) return ok(linked);
      const made = options.snapshot
        ? await withSnapshot({executable, digest: sha256}, plan, options, source.value, site)
        : ok({path: executable, digest: sha256});
      if (!made.ok) return made;
      const {path, digest} = made.value;
      const placed = await placeOutput(options.out, path, false);
      return placed.ok ? ok({output: placed.value, sha256: digest, images: path}) : placed;
    },
  });
}

/** `snapshot:python`, in place. Until it is done, the output path leads to the executable without a snapshot. */
async function withSnapshot(
  {executable, digest}: {readonly executable: string; readonly digest: string},
  plan: FreezePlan,
  {out}: SnapshotOptions,
  {places}: SourceHost,
  site: Site,
): Promise<Result<{readonly path: string; readonly digest: string}>> {
  if (!isDigest(digest)) return fail('BUG', `${digest} is not a digest`);
  const path = join(places.cpython, WITH_SNAPSHOT);
  const modules = modulesOfSnapshot(plan);
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
  const made = await site.engine.run({
    id: 'snapshot:python',
    tools: [],
    arguments: {modules, calledAs: out, format: MAGIC},
    environment: {},
    inputs: [{name: 'executable', path: executable, digest}],
    outputs: [{name: 'executable', path, executable: true}],
    storage: 'in-place',
    async execute({log, outputs}) {
      const plainly = await placeOutput(out, executable, false);
      if (!plainly.ok) return plainly;
      const folder = join(places.work, 'snapshot');
      const recipe = {executable, calledAs: out, modules, environment, folder};
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
