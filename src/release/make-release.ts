import {realpath} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {ensureFolder, hashFile, moveFile, replaceFile, writeFileAtomic} from '../fs/files.js';
import {listLibrary, listStage1Inputs} from '../cpython/source/stage1-inputs.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {runProcess} from '../exec/process.js';
import type {Host, Site, Objects} from '../pipeline/host.js';
import type {FreezePlan} from '../pipeline/modules/module-plan.js';
import {freeze} from '../pipeline/pipeline.js';
import {tracedScripts} from '../pipeline/modules/selection.js';
import type {BuildOutcome} from '../model/outcomes.js';
import type {HostContext, ModuleSelection, SourceBuildOptions} from '../pipeline/build-options.js';
import {GENERATOR_DIGEST} from '../codegen/generator-identity.js';
import {packageVersion} from '../fs/package-files.js';
import {checkSnapshotSeries} from '../hosts/snapshot/snapshot-series.js';
import {type SourceHost, type SourceToolchain, sourceHost} from '../hosts/source/source-host.js';
import {digestOf} from '../model/digest.js';
import {fail, ok, type Result} from '../model/result.js';
import {writeArchive} from './archive/archive.js';
import {EPOCH, PREFIX, install} from './installed-tree.js';
import {type Manifest, manifestOf, manifestText, snapshotOf} from './manifest.js';
import {addReleaseSnapshot, checkPlace} from './release-snapshot.js';
import {OPTIMISED, recordProfile, storedProfile} from './stored-profile.js';
import {provenanceOf} from './provenance.js';
import {signFile} from './detached-signature.js';
import {outsideInputs} from './outside-inputs.js';

export interface ReleaseRequest {
  /** `out` is the directory for archive, manifest and provenance. */
  readonly options: SourceBuildOptions & {readonly out: string};
  readonly selection: ModuleSelection;
  /** Counts of an earlier build, by which CPython is optimised: see `recordProfile`. */
  readonly profile?: string | undefined;
  /** Count first, and write that to `profile`. */
  readonly records?: boolean;
  /** The directory that the release is unpacked into: puts a snapshot into its interpreter. */
  readonly snapshotAt?: string | undefined;
  /** The key to sign the manifest with: see `signFile`. */
  readonly key?: string | undefined;
}

/**
 * Builds a CPython with frozen modules and packs its installation, such that the same inputs give the same bytes in any
 * directory. Leaves NAME.tar.xz, NAME.manifest.json and NAME.provenance.json in the directory `out`, the profile that was used and
 * the manifest's signature beside them. Fails as a build from source does, and as `recordProfile`, `install`,
 * `writeArchive` and `signFile` do.
 */
export async function release(request: ReleaseRequest, context: HostContext): Promise<Result<BuildOutcome>> {
  const {options, selection, profile, records = false} = request;
  const usable = checkOptions(request);
  if (!usable.ok) return usable;
  const optimised =
    profile === undefined || options.configureArguments.includes(OPTIMISED) ? [] : [OPTIMISED];
  const build: SourceBuildOptions = {
    ...options,
    ...(request.snapshotAt === undefined ? {} : {pie: false, builtinExtensions: true, forSnapshot: true}),
    debugInfo: true,
    out: undefined,
    configureArguments: [
      ...[`--prefix=${PREFIX}`, '--disable-test-modules'],
      ...options.configureArguments,
      ...optimised,
    ],
  };
  const host = await sourceHost(build, profile === undefined ? {} : {profile: storedProfile(profile)});
  if (!host.ok) return host;
  const supported = request.snapshotAt === undefined ? ok() : checkSnapshotSeries(host.value.tree.version);
  if (!supported.ok) return supported;
  const ownContext = {
    ...context,
    // The user's home must not matter: configure would record the path of the user's own Python.
    userEnvironment: {...context.userEnvironment, HOME: join(host.value.places.root, 'home')},
  };
  if (records && profile !== undefined && !context.dryRun) {
    const recorded = await recordProfile(profile, host.value.tree, build, ownContext);
    if (!recorded.ok) return recorded;
  }
  const built = await freeze(releaseHost(host.value, request), selection, ownContext);
  if (!built.ok || request.key === undefined || built.value.output === null || context.dryRun) return built;
  const environment = {...scrubbedEnvironment({}, context.userEnvironment), ...agentOf(context)};
  const signed = await signFile(manifestOf(built.value.output), request.key, {
    environment,
    signal: context.signal,
  });
  return signed.ok ? built : signed;
}

/** Fails with USAGE. */
function checkOptions({
  options: {configureArguments, pie},
  profile,
  snapshotAt,
}: ReleaseRequest): Result<void> {
  const settled = /^--(prefix|exec-prefix|enable-shared|enable-framework)/;
  if (configureArguments.some((word) => settled.test(word))) {
    return fail('USAGE', '--prefix and --enable-shared cannot be used for a release', {
      hint: 'omit them: a release is relocatable, and links the interpreter statically',
    });
  }
  if (profile === undefined && configureArguments.includes(OPTIMISED)) {
    return fail(
      'USAGE',
      '--enable-optimizations makes releases irreproducible: each build records another profile',
      {
        hint: 'record a profile once with --record-profile FILE, and pass it with --profile FILE from then on',
      },
    );
  }
  if (snapshotAt === undefined) return ok();
  if (pie) return fail('USAGE', '--snapshot-at and --pie cannot be combined: a snapshot has fixed addresses');
  return checkPlace(snapshotAt);
}

/** The socket of the agent that holds the user's keys. */
function agentOf({userEnvironment: {SSH_AUTH_SOCK: agent}}: HostContext): Record<string, string> {
  return agent === undefined ? {} : {SSH_AUTH_SOCK: agent};
}

/** The source host, whose product is a release. */
function releaseHost(host: SourceHost, request: ReleaseRequest): Host<SourceToolchain> {
  return {
    ...host,
    async link(objects, plan, toolchain, site) {
      const linked = await host.link(objects, plan, toolchain, site);
      if (!linked.ok) return linked;
      // Every run installs and packs.
      if (site.context.dryRun) return ok({...linked.value, pending: true});
      site.context.events.emit({type: 'notice', message: 'installing and packing'});
      const packed = await pack(host, objects, plan, toolchain, linked.value.images, request, site);
      return packed.ok ? ok({...linked.value, ...packed.value}) : packed;
    },
  };
}

async function pack(
  host: SourceHost,
  {codes}: Objects,
  plan: FreezePlan,
  toolchain: SourceToolchain,
  frozen: string,
  {options, selection, profile, snapshotAt}: ReleaseRequest,
  site: Site,
): Promise<Result<{readonly output: string; readonly sha256: string}>> {
  const {places, tree} = host;
  const root = await install({toolchain, plan, codes, places, frozen, tree}, site);
  if (!root.ok) return root;
  const snapshot =
    snapshotAt === undefined
      ? ok(undefined)
      : await addReleaseSnapshot(
          {tree: root.value.root, python: root.value.python, at: snapshotAt, plan, root: places.root},
          site,
        );
  if (!snapshot.ok) return snapshot;
  const {version} = toolchain.target;
  const {compiler, variables} = toolchain.stage1;
  const name = `cpython-${version.text}-${compiler.target}-flashfreeze`;
  const folder = await ensureFolder(options.out);
  if (!folder.ok) return folder;
  const files = await writeArchive(root.value.root, 'python', join(places.root, `${name}.tar`), EPOCH, {
    environment: site.environment,
    signal: site.context.signal,
  });
  if (!files.ok) return files;
  const made = join(places.root, `${name}.tar.xz`);
  const archive = join(options.out, `${name}.tar.xz`);
  const packed = await hashFile(made);
  if (!packed.ok) return packed;
  const frozenFiles = [
    ...plan.modules.map(({source}) => source),
    ...tracedScripts(selection, site.context.cwd),
  ];
  const inputs = await digestInputs(host, variables.CC, frozenFiles, site);
  if (!inputs.ok) return inputs;
  const used = profile === undefined ? ok(null) : await keepProfile(profile, options.out, name);
  if (!used.ok) return used;
  const manifest: Manifest = {
    schema: 'flashfreeze-release/1',
    name,
    python: version.text,
    flashfreeze: {version: packageVersion(), generator: GENERATOR_DIGEST},
    archive: {name: `${name}.tar.xz`, size: packed.value.size, sha256: packed.value.digest},
    recipe: {
      configureArguments: [...options.configureArguments],
      makeArguments: [...options.makeArguments],
      cc: options.cc ?? null,
      pie: options.pie,
      builtinExtensions: options.builtinExtensions,
      snapshotAt: snapshotAt ?? null,
      selection: {
        ...selection,
        traces: [...selection.traces],
        modules: [...selection.modules],
        packages: [...selection.packages],
        exclude: [...selection.exclude],
      },
      sourceDateEpoch: EPOCH,
      profile: used.value,
    },
    tools: [
      {name: 'cc', version: compiler.name, sha256: compiler.digest},
      ...(await Promise.all(['make', 'ld', 'ar', 'xz'].map((tool) => versionOf(tool, site)))),
    ],
    flags: {...variables},
    frozen: plan.modules.map(({module}) => module),
    snapshot: snapshot.value === undefined ? null : snapshotOf(snapshot.value),
    inputs: inputs.value,
    files: [...files.value],
  };
  const text = manifestText(manifest);
  const provenance = `${JSON.stringify(provenanceOf(manifest, digestOf(text)), null, 1)}\n`;
  const written = [
    await writeFileAtomic(join(options.out, `${name}.manifest.json`), text),
    await writeFileAtomic(join(options.out, `${name}.provenance.json`), provenance),
    await moveFile(made, archive),
  ].find((result) => !result.ok);
  return written?.ok === false ? written : ok({output: archive, sha256: packed.value.digest});
}

/** Copies the profile beside the manifest, which contains its digest. Fails with IO. */
async function keepProfile(
  profile: string,
  out: string,
  release: string,
): Promise<Result<Manifest['recipe']['profile']>> {
  const name = `${release}.profile.tar.xz`;
  const hashed = await hashFile(profile);
  if (!hashed.ok) return hashed;
  const kept = await replaceFile(profile, join(out, name));
  return kept.ok ? ok({name, sha256: hashed.value.digest}) : kept;
}

/** All that the release is made from: what CPython's build reads of the source tree, the library, and files from elsewhere. */
async function digestInputs(
  {tree, places}: SourceHost,
  cc: string,
  frozen: readonly string[],
  {engine, environment, context: {signal}}: Site,
): Promise<Result<Manifest['inputs']>> {
  const built = await listStage1Inputs(tree);
  if (!built.ok) return built;
  const library = await listLibrary(tree);
  if (!library.ok) return library;
  const own = [places.root, tree.path, await realpath(tree.path)];
  const request = {buildDir: places.cpython, cc, own, frozen};
  const outside = await outsideInputs(request, {environment, signal});
  if (!outside.ok) return outside;
  const names = [...built.value, ...library.value, ...outside.value]
    .map((name) => Buffer.from(name))
    .sort((a, b) => Buffer.compare(a, b));
  const digested = await engine.sources(
    names.map(String).map((name) => ({name, path: resolve(tree.path, name)})),
  );
  return digested.ok ? ok(digested.value.map(({name, digest}) => ({name, sha256: digest}))) : digested;
}

async function versionOf(tool: string, {environment, context}: Site): Promise<Manifest['tools'][number]> {
  const run = await runProcess({
    file: tool,
    args: ['--version'],
    cwd: '/',
    environment,
    signal: context.signal,
  });
  return {name: tool, version: run.ok ? (run.value.stdout.split('\n')[0] ?? '') : 'none', sha256: null};
}
