import {copyFile, readdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {attempt, ensureFolder, hashFile, writeFileAtomic} from '../cache/files.js';
import {listStage1Inputs} from '../cpython/stage1-inputs.js';
import {runProcess} from '../exec/process.js';
import type {Host, Site} from '../hosts/host.js';
import type {FreezePlan} from '../hosts/module-plan.js';
import {freeze} from '../hosts/pipeline.js';
import type {BuildOutcome, HostContext, ModuleSelection, SourceBuildOptions} from '../hosts/options.js';
import {generatorDigest, packageVersion} from '../hosts/package-files.js';
import {type SourceHost, type SourceToolchain, sourceHost} from '../hosts/source.js';
import {digestOf} from '../model/digest.js';
import {fail, ok, type Result} from '../model/result.js';
import {writeArchive} from './archive.js';
import {EPOCH, PREFIX, install} from './installation.js';
import {type Manifest, manifestText} from './manifest.js';
import {provenanceOf} from './provenance.js';

export interface ReleaseRequest {
  /** `out` is the folder that archive, manifest and provenance are wanted in. */
  readonly options: SourceBuildOptions & {readonly out: string};
  readonly selection: ModuleSelection;
}

/**
 * Builds a CPython with frozen modules and packs its installation, such that the same inputs give the same bytes in any
 * folder. Leaves NAME.tar.xz, NAME.manifest.json and NAME.provenance.json in the folder `out`. Fails as a build from source
 * does, and as `install` and `writeArchive` do.
 */
export async function release(request: ReleaseRequest, context: HostContext): Promise<Result<BuildOutcome>> {
  const {options, selection} = request;
  if (
    options.configureArguments.some((word) =>
      /^--(prefix|exec-prefix|enable-shared|enable-framework)/.test(word),
    )
  ) {
    return fail('USAGE', 'a release has a prefix of its own and links the interpreter statically', {
      hint: 'leave out --prefix and --enable-shared',
    });
  }
  const configureArguments = [`--prefix=${PREFIX}`, '--disable-test-modules', ...options.configureArguments];
  const host = await sourceHost({...options, out: undefined, configureArguments}, {placeless: true});
  if (!host.ok) return host;
  return freeze(releaseHost(host.value, request), selection, {
    ...context,
    // What lies in the user's home is nobody else's; configure would note the path of the user's own Python.
    userEnvironment: {...context.userEnvironment, HOME: join(host.value.places.root, 'home')},
  });
}

/** The source host, whose product is a release. */
function releaseHost(host: SourceHost, request: ReleaseRequest): Host<SourceToolchain> {
  return {
    ...host,
    async link(objects, plan, toolchain, site) {
      const linked = await host.link(objects, plan, toolchain, site);
      if (!linked.ok || site.context.dryRun) return linked;
      site.context.events.emit({type: 'notice', message: 'installing and packing'});
      const packed = await pack(host, plan, toolchain, linked.value.images, request, site);
      return packed.ok ? ok({...linked.value, ...packed.value}) : packed;
    },
  };
}

async function pack(
  host: SourceHost,
  plan: FreezePlan,
  toolchain: SourceToolchain,
  frozen: string,
  {options, selection}: ReleaseRequest,
  site: Site,
): Promise<Result<{readonly output: string; readonly sha256: string}>> {
  const {places, tree} = host;
  const root = await install({toolchain, plan, places, frozen, secrets: [tree.path]}, site);
  if (!root.ok) return root;
  const {version} = toolchain.target;
  const {compiler, variables} = toolchain.stage1;
  const name = `cpython-${version.text}-${compiler.target}-flashfreeze`;
  const folder = await ensureFolder(options.out);
  if (!folder.ok) return folder;
  const files = await writeArchive(root.value, 'python', join(places.root, `${name}.tar`), EPOCH, site);
  if (!files.ok) return files;
  const archive = join(options.out, `${name}.tar.xz`);
  const packed = await hashFile(join(places.root, `${name}.tar.xz`));
  if (!packed.ok) return packed;
  const inputs = await digestInputs(host, site);
  if (!inputs.ok) return inputs;
  const manifest: Manifest = {
    schema: 'flashfreeze-release/1',
    name,
    python: version.text,
    flashfreeze: {version: packageVersion(), generator: generatorDigest()},
    archive: {name: `${name}.tar.xz`, size: packed.value.size, sha256: packed.value.digest},
    recipe: {
      configureArguments: [...options.configureArguments],
      makeArguments: [...options.makeArguments],
      cc: options.cc ?? null,
      pie: options.pie,
      builtinExtensions: options.builtinExtensions,
      selection: {
        ...selection,
        traces: [...selection.traces],
        modules: [...selection.modules],
        packages: [...selection.packages],
        exclude: [...selection.exclude],
      },
      sourceDateEpoch: EPOCH,
    },
    tools: [
      {name: 'cc', version: compiler.name, sha256: compiler.digest},
      ...(await Promise.all(['make', 'ld', 'ar', 'xz'].map((tool) => versionOf(tool, site)))),
    ],
    flags: {...variables},
    frozen: plan.modules.map(({module}) => module),
    inputs: inputs.value,
    files: [...files.value],
  };
  const text = manifestText(manifest);
  const provenance = `${JSON.stringify(provenanceOf(manifest, digestOf(text)), null, 1)}\n`;
  const written = [
    await writeFileAtomic(join(options.out, `${name}.manifest.json`), text),
    await writeFileAtomic(join(options.out, `${name}.provenance.json`), provenance),
    await attempt('write', archive, () => moveFile(join(places.root, `${name}.tar.xz`), archive)),
  ].find((result) => !result.ok);
  return written?.ok === false ? written : ok({output: archive, sha256: packed.value.digest});
}

/** Everything of the source tree that the release is made from: what CPython's build reads, and the library. */
async function digestInputs({tree}: SourceHost, {engine}: Site): Promise<Result<Manifest['inputs']>> {
  const built = await listStage1Inputs(tree);
  if (!built.ok) return built;
  const library = await attempt('read', join(tree.path, 'Lib'), async () =>
    (await readdir(join(tree.path, 'Lib'), {recursive: true, withFileTypes: true}))
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.pyc'))
      .map(({parentPath, name}) => join(parentPath, name).slice(tree.path.length + 1)),
  );
  if (!library.ok) return library;
  const names = [...built.value, ...library.value]
    .map((name) => Buffer.from(name))
    .sort((a, b) => Buffer.compare(a, b));
  const digested = await engine.sources(
    names.map(String).map((name) => ({name, path: join(tree.path, name)})),
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

/** Also to another file system. */
async function moveFile(from: string, to: string): Promise<void> {
  await copyFile(from, `${to}.new`);
  await rename(`${to}.new`, to);
  await rm(from, {force: true});
}
