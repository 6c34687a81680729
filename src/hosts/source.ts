import {existsSync} from 'node:fs';
import {lstat, readFile, readlink, rename, rm, symlink} from 'node:fs/promises';
import {dirname, join, relative, resolve} from 'node:path';
import {parseWellKnownStrings} from '../codegen/well-known.js';
import type {ModuleRecord} from '../cpython/modules.js';
import {ensureFolder} from '../cache/files.js';
import {scriptPath} from '../cpython/scripts.js';
import {openSourceTree, type SourceTree} from '../cpython/source-tree.js';
import {startWorkers} from '../cpython/worker.js';
import type {Engine} from '../engine/engine.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import type {Artifact, ToolIdentity} from '../model/action.js';
import {type Result, err, fail, ok} from '../model/result.js';
import {createCCompiler} from './c-compiler.js';
import {type Discovery, discover, summariseImports} from './discovery.js';
import {type CompiledModule, type ImageTools, buildImage, compileModule} from './images.js';
import {loadLayout} from './layouts.js';
import {type LinkTools, buildIndex, buildRuntime, collect, linkInterpreter} from './link.js';
import {type FreezePlan, type ModulePlan, planFreeze} from './module-plan.js';
import type {BuildOutcome, HostContext, SourceBuildOptions} from './options.js';
import {LAYOUTS_FOLDER, RUNTIME_FOLDER, generatorDigest} from './package-files.js';
import {type Places, placesOf} from './places.js';
import {withEngine} from './session.js';
import {type Stage1, buildStage1} from './stage1.js';

/**
 * The two-stage build: CPython as it is, the static code of its modules, and CPython again with that.
 * Every failure of design.md §7 can come out of it; the lock on the build folder is held meanwhile.
 */
export function buildFromSource(
  options: SourceBuildOptions,
  context: HostContext,
): Promise<Result<BuildOutcome>> {
  return pipeline(options, context, async (build) => {
    const images = await build.images();
    if (!images.ok) return images;
    const runtime = await buildRuntime(build.tools);
    if (!runtime.ok) return runtime;
    const index = await buildIndex(build.plan, build.tools);
    if (!index.ok) return index;
    const linked = await linkInterpreter([...images.value, index.value, ...runtime.value], build.tools);
    if (!linked.ok) return linked;
    const placed = await placeOutput(options.out, build.places, context.dryRun);
    return placed.ok ? ok({output: placed.value, sha256: linked.value.digest}) : placed;
  });
}

/** Stage 1 and the objects of all module images, without linking (the command `regen`). */
export function regenerateImages(
  options: SourceBuildOptions,
  context: HostContext,
): Promise<Result<BuildOutcome>> {
  return pipeline(options, context, async (build) => {
    const images = await build.images();
    return images.ok ? ok({output: null, sha256: null}) : images;
  });
}

/** Which modules a build would freeze, in order (the command `discover`). */
export async function discoverModules(
  options: SourceBuildOptions,
  context: HostContext,
): Promise<Result<{readonly python: string; readonly modules: readonly ModuleRecord[]}>> {
  let modules: readonly ModuleRecord[] = [];
  const outcome = await pipeline(options, context, (build) => {
    modules = build.discovered;
    return Promise.resolve(ok({output: null, sha256: null}));
  });
  return outcome.ok ? ok({python: outcome.value.python, modules}) : outcome;
}

/** A build whose modules are known. */
interface Build {
  readonly places: Places;
  readonly plan: FreezePlan;
  readonly discovered: readonly ModuleRecord[];
  readonly tools: LinkTools;
  /** The objects of all module images. One that fails does not keep the others from being built. */
  readonly images: () => Promise<Result<readonly Artifact[]>>;
}

async function pipeline(
  options: SourceBuildOptions,
  context: HostContext,
  finish: (build: Build) => Promise<Result<Pick<BuildOutcome, 'output' | 'sha256'>>>,
): Promise<Result<BuildOutcome>> {
  const tree = await openSourceTree(options.source);
  if (!tree.ok) return tree;
  const layout = await loadLayout(tree.value.version.series);
  if (!layout.ok) return layout;
  const buildDir = resolve(options.buildDir);
  if (`${buildDir}/`.startsWith(`${tree.value.path}/`)) {
    return fail(
      'OUTPUT',
      `The build folder ${buildDir} lies inside the source tree, which is never written to.`,
      {
        hint: 'give a --build-dir elsewhere',
      },
    );
  }
  const places = placesOf(buildDir);
  const environment = scrubbedEnvironment({}, context.userEnvironment);
  return withEngine(buildDir, context, async (engine) => {
    const surroundings = {...context, environment};
    const stage1 = await buildStage1(tree.value, options, places, engine, surroundings);
    if (!stage1.ok) return stage1;
    const tools = await prepareTools(tree.value, stage1.value, layout.value, places, engine, surroundings);
    if (!tools.ok) return tools;
    try {
      return await freeze(options, tree.value, stage1.value, tools.value, surroundings, finish);
    } finally {
      await tools.value.workers.stop();
    }
  });
}

type Surroundings = HostContext & {readonly environment: Readonly<Record<string, string>>};

async function freeze(
  options: SourceBuildOptions,
  tree: SourceTree,
  stage1: Stage1,
  tools: ImageTools & LinkTools,
  context: Surroundings,
  finish: (build: Build) => Promise<Result<Pick<BuildOutcome, 'output' | 'sha256'>>>,
): Promise<Result<BuildOutcome>> {
  const {engine, places} = tools;
  const compiled = new Map<string, Promise<Result<CompiledModule>>>();
  const compile = (plan: ModulePlan): Promise<Result<CompiledModule>> => {
    const known = compiled.get(plan.source) ?? compileModule(plan, tools);
    compiled.set(plan.source, known);
    return known;
  };
  const importsOf = async (plan: FreezePlan): Promise<string | undefined> => {
    // A module that is gone is a change of imports; one that does not compile is not.
    const gone = plan.modules.find(({source}) => !existsSync(source));
    if (gone !== undefined) return `without ${gone.module}`;
    const units = collect(await Promise.all(plan.modules.map(compile)));
    if (!units.ok) return undefined;
    return summariseImports(
      units.value.map(({imports}, i) => [plan.modules[i]?.module ?? '', imports.digest]),
    );
  };
  const found: Result<Discovery> = await discover(
    options.selection,
    stage1,
    places,
    engine,
    context,
    (modules) => importsOf(planFreeze(stage1.target, tree.path, modules)),
  );
  if (!found.ok) return found;
  const plan = planFreeze(stage1.target, tree.path, found.value.modules);
  const finished = await finish({
    places,
    plan,
    discovered: found.value.modules,
    tools,
    images: async () => {
      const objects = await Promise.all(
        plan.modules.map(async (module) => {
          const unit = await compile(module);
          return unit.ok ? buildImage(module, unit.value.unit, tools) : unit;
        }),
      );
      const imports = await importsOf(plan);
      if (imports !== undefined) await found.value.remember(imports);
      return collect(objects);
    },
  });
  if (!finished.ok) return finished;
  const {counts, executed} = engine.summary();
  return ok({
    ...finished.value,
    python: stage1.target.version.text,
    modules: plan.modules.length,
    stage1: stage1.python.path,
    actions: counts,
    executed,
  });
}

async function prepareTools(
  tree: SourceTree,
  stage1: Stage1,
  layout: ImageTools['layout'],
  places: Places,
  engine: Engine,
  context: Surroundings,
): Promise<Result<ImageTools & LinkTools>> {
  const {environment, signal, jobs} = context;
  const files = await engine.sources([
    {name: `layouts/${layout.header}`, path: join(LAYOUTS_FOLDER, layout.header)},
    {name: 'layouts/common.h', path: join(LAYOUTS_FOLDER, 'common.h')},
    {name: 'runtime/flashfreeze.h', path: join(RUNTIME_FOLDER, 'flashfreeze.h')},
    {name: 'pycore_global_strings.h', path: join(tree.path, 'Include/internal/pycore_global_strings.h')},
    {name: 'worker.py', path: scriptPath('worker.py')},
    {name: 'getpath.h', path: join(places.cpython, 'Python/frozen_modules/getpath.h')},
  ]);
  if (!files.ok) return files;
  const [layoutHeader, commonHeader, runtimeHeader, wellKnownHeader, worker, getpathHeader] = files.value;
  if (!layoutHeader || !commonHeader || !runtimeHeader || !wellKnownHeader || !worker || !getpathHeader) {
    return fail('IO', 'A file of the package or of the source tree is missing.');
  }
  const script: ToolIdentity = {name: 'worker.py', digest: worker.digest};
  return ok({
    engine,
    places,
    layout,
    layoutHeader,
    headers: [layoutHeader, commonHeader, runtimeHeader],
    wellKnown: parseWellKnownStrings(await readFile(wellKnownHeader.path, 'utf8')),
    wellKnownHeader,
    workers: startWorkers({python: stage1.python.path, count: jobs, environment, signal}),
    compileTools: [stage1.identity, script],
    generator: {name: 'generator', digest: generatorDigest()},
    compiler: createCCompiler(stage1, places, tree.path, layout.header, environment, signal),
    getpathHeader,
    stage1,
    environment,
    signal,
  });
}

/**
 * Puts the new interpreter where it is wanted. A CPython that is not installed finds its library through the folder that
 * its executable really lies in (Modules/getpath.py, pybuilddir.txt), so another place gets a symbolic link.
 * Fails with OUTPUT.
 */
async function placeOutput(
  out: string | undefined,
  places: Places,
  dryRun: boolean,
): Promise<Result<string>> {
  const wanted = out === undefined ? places.stage2 : resolve(out);
  if (wanted === places.stage2 || dryRun) return ok(wanted);
  try {
    const there = await lstat(wanted).catch(() => undefined);
    if (there?.isDirectory() === true) {
      return fail('OUTPUT', `${wanted} is a folder.`, {hint: 'give --out the name of a file'});
    }
    if (
      there?.isSymbolicLink() === true &&
      resolve(dirname(wanted), await readlink(wanted)) === places.stage2
    ) {
      return ok(wanted);
    }
    const folder = await ensureFolder(dirname(wanted));
    if (!folder.ok) throw new Error(folder.failure.message);
    const fresh = `${wanted}.${process.pid}.new`;
    await rm(fresh, {force: true});
    await symlink(relative(dirname(wanted), places.stage2), fresh);
    await rename(fresh, wanted);
    return ok(wanted);
  } catch (error) {
    return err({
      code: 'OUTPUT',
      message: `${wanted} cannot be written: ${String(error)}`,
      hint: 'give an --out that you may write to',
    });
  }
}
