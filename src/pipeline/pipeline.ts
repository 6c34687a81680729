import {setImmediate} from 'node:timers/promises';
import {existsSync} from '../fs/recorded-fs.js';
import type {ModuleRecord} from '../cpython/interpreter/modules/modules.js';
import {closeFolder} from '../fs/private-directory.js';
import {isUtf8Path} from '../fs/utf8-path.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import type {Artifact} from '../model/action.js';
import type {Digest} from '../model/digest.js';
import {collectResults, err, type Result, ok} from '../model/result.js';
import {type Discovery, type Imports, discover} from './modules/discovery.js';
import {PREPARATIONS, prepareAll} from './prepared/all-preparations.js';
import type {Host, Linked, LinkedImages, Site} from './host.js';
import {generateObject} from './images/module-images.js';
import {compiledModules} from './images/compiled-modules.js';
import {buildIndex, buildRecord, buildRuntime} from './images/index-and-runtime.js';
import {type FreezePlan, type ModulePlan, leaveOut, planFreeze} from './modules/module-plan.js';
import {type LeftOut, leftOutWarning} from './modules/left-out.js';
import {createRefusals} from './modules/refusals.js';
import {isNamedBy} from './modules/trace-problem.js';
import type {Compilation} from './images/compile-module.js';
import type {BuildOutcome} from '../model/outcomes.js';
import type {HostContext, ModuleSelection} from './build-options.js';
import type {Selected} from './modules/selection.js';
import {withEngine} from './session.js';
import {writeStamps} from './images/source-stamps.js';
import {tracedScripts} from './modules/selection.js';
import type {Toolchain} from './toolchain.js';
import {type Tools, prepareTools, stopTools} from './images/image-tools.js';

/**
 * The whole pipeline: makes images of the selected modules, and lets the host link them. Every failure code can
 * occur; it holds the lock on the build directory.
 */
export function freeze<T extends Toolchain>(
  host: Host<T>,
  selection: ModuleSelection,
  context: HostContext,
): Promise<Result<BuildOutcome>> {
  return run(host, selection, context, async ({images, wanted, isTraced, tools, toolchain, site}) => {
    // While compilers work at the runtime, this process works at images.
    const [made, runtime] = await Promise.all([images(), buildRuntime(host.kind, tools)]);
    if (!made.ok) return made;
    if (!runtime.ok) return runtime;
    const {objects, codes, plan} = made.value;
    const prepared = await prepareAll(wanted, plan, tools, context, isTraced ? 'local' : undefined);
    if (!prepared.ok) return prepared;
    const index = await buildIndex(host.kind, plan, prepared.value, tools);
    if (!index.ok) return index;
    const record = await buildRecord(host.kind, tools);
    if (!record.ok) return record;
    const linked = await host.link(
      {
        images: objects,
        tables: [index.value, record.value],
        runtime: runtime.value,
        codes,
      },
      plan,
      toolchain,
      site,
    );
    if (!linked.ok) return linked;
    const {stampOf} = site.engine;
    const stamp = async ({images: file}: LinkedImages): Promise<Result<void>> =>
      context.dryRun ? ok() : writeStamps(file, {plan, toolchain, codes, stampOf});
    const stamped = await stamp(linked.value);
    if (!stamped.ok) return stamped;
    const completed = (await host.complete?.(linked.value, plan, toolchain, site)) ?? linked;
    if (!completed.ok) return completed;
    const {images: file, ...product} = completed.value;
    const all = file === linked.value.images ? stamped : await stamp(completed.value);
    return all.ok ? ok({...product, modules: plan.modules.length}) : all;
  });
}

const NOTHING_LINKED = {output: null, sha256: null};

/** The objects of all module images, without linking (the command `regen`). */
export function regenerate<T extends Toolchain>(
  host: Host<T>,
  selection: ModuleSelection,
  context: HostContext,
): Promise<Result<BuildOutcome>> {
  return run(host, selection, context, async ({images}) => {
    const made = await images();
    return made.ok ? ok({...NOTHING_LINKED, modules: made.value.plan.modules.length}) : made;
  });
}

/** Which modules a build would freeze, in order (the command `discover`). */
export async function discoverModules<T extends Toolchain>(
  host: Host<T>,
  selection: ModuleSelection,
  context: HostContext,
): Promise<Result<{readonly python: string; readonly modules: readonly ModuleRecord[]}>> {
  let modules: readonly ModuleRecord[] = [];
  const outcome = await run(host, selection, context, (build) => {
    modules = build.discovered;
    return Promise.resolve(ok({...NOTHING_LINKED, modules: build.planned}));
  });
  return outcome.ok ? ok({python: outcome.value.python, modules}) : outcome;
}

/** A build with known modules. */
interface Build<T extends Toolchain> {
  readonly toolchain: T;
  readonly discovered: readonly ModuleRecord[];
  /** How many of them can have images. */
  readonly planned: number;
  /** The sources to compile at build time. */
  readonly wanted: Selected['compiled'];
  /** Whether programs of the user decided that. */
  readonly isTraced: boolean;
  readonly tools: Tools;
  readonly site: Site;
  /** The objects of all module images. A failing one does not prevent the others. */
  readonly images: () => Promise<Result<Images>>;
}

interface Images {
  readonly objects: readonly Artifact[];
  /** The digests of their code units, by module. */
  readonly codes: ReadonlyMap<string, Digest>;
  /** The modules that have images, in the same order. */
  readonly plan: FreezePlan;
}

type Finish<T extends Toolchain> = (build: Build<T>) => Promise<Result<Linked & {readonly modules: number}>>;

function run<T extends Toolchain>(
  host: Host<T>,
  selection: ModuleSelection,
  context: HostContext,
  finish: Finish<T>,
): Promise<Result<BuildOutcome>> {
  return withEngine(host.places.root, context, async (engine) => {
    // They hold the text of modules that others may not be able to read.
    for (const folder of context.dryRun ? [] : [host.places.images, host.places.work]) {
      const made = await closeFolder(folder);
      if (!made.ok) return made;
    }
    const site = {engine, context, environment: scrubbedEnvironment({}, context.userEnvironment)};
    const toolchain = await host.prepare(site);
    if (!toolchain.ok) return toolchain;
    const tools = await prepareTools(toolchain.value, host.places, site);
    if (!tools.ok) return tools;
    try {
      return await freezeSelected(host, toolchain.value, selection, tools.value, site, finish);
    } finally {
      await stopTools(tools.value);
    }
  });
}

async function freezeSelected<T extends Toolchain>(
  host: Host<T>,
  toolchain: T,
  selection: ModuleSelection,
  tools: Tools,
  site: Site,
  finish: Finish<T>,
): Promise<Result<BuildOutcome>> {
  const compile = compiledModules(tools);
  const scripts = tracedScripts(selection, site.context.cwd);
  const announce = (plan: FreezePlan): FreezePlan => {
    site.context.repetition?.onSources([...plan.modules.map(({source}) => source), ...scripts]);
    return plan;
  };
  const importsOf = async (plan: FreezePlan): Promise<Imports | undefined> => {
    // A removed module counts as a change of imports.
    const gone = plan.modules.find(({source}) => isUtf8Path(source) && !existsSync(source));
    if (gone !== undefined) return [[gone.module, 'gone']];
    const compiled = collectResults(await Promise.all(plan.modules.map(compile)));
    // A dry run does not know the imports of an edited module, and assumes that they have not changed.
    if (
      !compiled.ok ||
      compiled.value.some((each) => each.kind === 'unit' && site.engine.isPending(each.imports))
    ) {
      return undefined;
    }
    return compiled.value.map((each, i) => [
      plan.modules[i]?.module ?? '',
      each.kind === 'unit' ? each.imports.digest : null,
    ]);
  };
  const found: Result<Discovery> = await discover(selection, toolchain, host.places, site, (modules) =>
    importsOf(announce(planFreeze(toolchain, modules, selection))),
  );
  if (!found.ok) return found;
  const plan = announce(planFreeze(toolchain, found.value.modules, selection));
  const finished = await finish({
    toolchain,
    discovered: found.value.modules,
    planned: plan.modules.length,
    wanted: chosenSources(selection, found.value),
    isTraced: selection.traces.length > 0,
    tools,
    site,
    images: async () => {
      const layout = tools.targetLayout();
      const refused = createRefusals();
      /** Undefined for a module that has no image and that the build can do without. */
      const image = async (module: ModulePlan): Promise<Result<Artifact | undefined>> => {
        const compiled = await compile(module);
        if (!compiled.ok) return compiled;
        if (compiled.value.kind === 'problem') return ok(undefined);
        const targetLayout = await layout;
        if (!targetLayout.ok) return targetLayout;
        const object = await generateObject(module, compiled.value.unit, targetLayout.value, tools);
        return object.ok || !refused.accept(module, object.failure) ? object : ok(undefined);
      };
      const edited = plan.modules.filter(
        ({module}) => site.engine.reasonsFor(`compile:${module}`).length > 0,
      );
      // Edited modules come first: Python compiles them while this process finds the rest up to date.
      const started = new Map(edited.map((module) => [module, image(module)]));
      await setImmediate();
      const objects = await Promise.all(plan.modules.map((module) => started.get(module) ?? image(module)));
      const imports = await importsOf(plan);
      if (imports !== undefined) await found.value.remember(imports);
      const none = refused.unlessAnyHas(objects);
      if (none !== undefined) return err(none);
      const left = [...(await problemsOf(plan, compile)), ...refused.leftOut()];
      const warning = leftOutWarning(left.filter(({source}) => !isNamedBy(found.value.problems, source)));
      if (warning !== undefined) site.context.events.emit(warning);
      const all = collectResults(objects);
      if (!all.ok) return all;
      return ok({
        objects: all.value.filter((object) => object !== undefined),
        codes: await codesOf(plan, compile),
        plan: leaveOut(plan, new Set(left.map(({module}) => module))),
      });
    },
  });
  if (!finished.ok) return finished;
  const {counts, executed} = site.engine.summary();
  return ok({
    ...finished.value,
    python: toolchain.target.version.text,
    stage1: host.kind === 'source' || host.kind === 'snapshot' ? toolchain.interpreter.python : null,
    actions: counts,
    executed,
  });
}

async function codesOf(
  {modules}: FreezePlan,
  compile: (module: ModulePlan) => Promise<Result<Compilation>>,
): Promise<ReadonlyMap<string, Digest>> {
  const codes = new Map<string, Digest>();
  for (const plan of modules) {
    const result = await compile(plan);
    if (result.ok && result.value.kind === 'unit') codes.set(plan.module, result.value.unit.digest);
  }
  return codes;
}

/** The modules that do not compile, in the order of the plan. */
async function problemsOf(
  {modules}: FreezePlan,
  compile: (module: ModulePlan) => Promise<Result<Compilation>>,
): Promise<readonly LeftOut[]> {
  const compiled = await Promise.all(modules.map(async (plan) => ({plan, result: await compile(plan)})));
  return compiled.flatMap(({plan: {module, source}, result}) =>
    result.ok && result.value.kind === 'problem' ? [{module, source, problem: result.value.problem}] : [],
  );
}

/** The sources of traced programs, limited to the kinds to compile at build time. */
function chosenSources(
  selection: ModuleSelection,
  {compiled}: Pick<Selected, 'compiled'>,
): Selected['compiled'] {
  const chosen = PREPARATIONS.filter(({isChosen}) => isChosen(selection));
  return Object.fromEntries(chosen.map(({name}) => [name, compiled[name] ?? []]));
}
