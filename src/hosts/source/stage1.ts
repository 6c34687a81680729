import {join, relative} from 'node:path';
import {z} from 'zod';
import {clearFile} from '../../fs/removal.js';
import {readJson} from '../../fs/read-json.js';
import {recordWritten} from '../../fs/recorded-fs.js';
import {attempt, writeFileAtomic} from '../../fs/files.js';
import {buildEnvironment, findCompiler, findMake} from '../../cpython/build/build-tools.js';
import {PUBLIC_NAMES, buildExtensionsIn} from '../../cpython/build/builtin-extensions.js';
import {configuredSource, configureTree, makeTree} from '../../cpython/build/configure-and-make.js';
import type {CompilerIdentity} from '../../cpython/build/compiler.js';
import {findArchives} from './static-libraries.js';
import {configureArguments, requestedCompiler} from '../../cpython/build/configure-arguments.js';
import {checkUsable} from '../../cpython/interpreter/installation/refused-builds.js';
import {readMakeVariables} from '../../cpython/build/make-variables.js';
import {NOT_LOOKED_FOR, reproducibleEnvironment} from '../../cpython/build/reproducible-flags.js';
import {scriptFiles} from '../../cpython/interpreter/scripts.js';
import type {SourceTree} from '../../cpython/source/source-tree.js';
import {listStage1Inputs, selectConfigureInputs} from '../../cpython/source/stage1-inputs.js';
import {describeTarget, type Target, targetSchema} from '../../cpython/interpreter/target.js';
import type {Artifact} from '../../model/action.js';
import type {ActionSpec} from '../../model/action-spec.js';
import {type Result, fail, ok} from '../../model/result.js';
import {memoizedCompiler} from '../../pipeline/compile/memoized-compiler.js';
import type {Site} from '../../pipeline/host.js';
import type {SourceBuildOptions} from '../../pipeline/build-options.js';
import {READERS} from '../../pipeline/reader-identity.js';
import {
  type Reproducible,
  makeArgumentsOf,
  reproducibleInputs,
  reproducibleKey,
  useProfile,
} from './reproducible-build.js';
import type {SourcePlaces} from '../../pipeline/build-places.js';

/** The variables of CPython's own Makefile that are needed to compile and link like CPython, expanded. */
const VARIABLES = [
  'CC',
  'LINKCC',
  'PY_CORE_CFLAGS',
  'PY_CORE_LDFLAGS',
  'LINKFORSHARED',
  'LINK_PYTHON_OBJS',
  'BLDSHARED',
  'INSTSONAME',
  'LIBRARY_OBJS',
  'SHLIBS',
  'LIBC',
  'LIBM',
  'LIBS',
  'MODLIBS',
  'SYSLIBS',
] as const;
export type MakeVariables = Readonly<Record<(typeof VARIABLES)[number], string>>;

const variablesSchema: z.ZodType<MakeVariables> = z.record(z.enum(VARIABLES), z.string());

export interface Stage1 {
  /** The interpreter that was built. */
  readonly python: Artifact;
  readonly target: Target;
  readonly variables: MakeVariables;
  readonly compiler: CompilerIdentity;
  /** Its sources, and its `pyconfig.h`. */
  readonly inputs: readonly Artifact[];
  /** What is linked in the place of shared libraries: findArchives(). */
  readonly archives: readonly Artifact[];
}

/**
 * Configures and builds CPython in its own directory, as two actions that stay in place. Of a reproducible build, everything
 * that it is made from decides whether the directory is emptied first: what make keeps has to be what a new directory
 * would get.
 */
export async function buildStage1(
  tree: SourceTree,
  options: SourceBuildOptions,
  places: SourcePlaces,
  site: Site,
  reproducible?: Reproducible,
): Promise<Result<Stage1>> {
  const {engine, context} = site;
  const {signal} = context;
  const environment = buildEnvironment(site.environment);
  const user = [...(options.cc === undefined ? [] : [`CC=${options.cc}`]), ...options.configureArguments];
  const configure = configureArguments(user, environment, options.pie);
  const wanted = requestedCompiler(configure, environment);
  const compilerName = await findCompiler(environment, wanted);
  if (!compilerName.ok) return compilerName;
  const make = await findMake(environment);
  if (!make.ok) return make;
  const compiler = await memoizedCompiler(wanted ?? compilerName.value, places, {environment, signal});
  if (!compiler.ok) return compiler;

  const names = await listStage1Inputs(tree);
  if (!names.ok) return names;
  const inputs = await engine.sources(names.value.map((name) => ({name, path: join(tree.path, name)})));
  if (!inputs.ok) return inputs;

  const own = await leaveOtherTree(tree, places, site);
  if (!own.ok) return own;
  const {builtinExtensions} = options;
  const search = {command: wanted ?? compilerName.value, files: compiler.value.files};
  const found = options.forSnapshot === true ? await findArchives(search, places, site) : undefined;
  if (found?.ok === false) return found;
  const archives = found?.value.map(({name}) => name);
  const more = reproducible ? await reproducibleInputs(tree, reproducible, site) : ok([]);
  if (!more.ok) return more;
  const settings = {
    ...(reproducible && {reproducible: reproducibleKey(reproducible, compiler.value.family)}),
    ...(builtinExtensions && {builtinExtensions}),
    ...(archives && {archives}),
  };
  const forConfigure = new Set([
    ...selectConfigureInputs(names.value),
    ...(builtinExtensions ? [PUBLIC_NAMES] : []),
  ]);
  const configured = await engine.run({
    id: 'configure:python',
    tools: [compiler.value],
    arguments: Object.keys(settings).length === 0 ? configure : {configure, ...settings},
    environment: {},
    inputs: reproducible
      ? [...inputs.value, ...more.value]
      : inputs.value.filter(({name}) => forConfigure.has(name)),
    outputs: ['config.status', 'pyconfig.h'].map((name) => ({name, path: join(places.cpython, name)})),
    storage: 'in-place',
    async execute({log}) {
      const told = reproducible ? {...NOT_LOOKED_FOR, ...environment} : environment;
      const run = {buildDir: places.cpython, environment: told, signal, onOutput: log};
      const source = reproducible ? relative(places.cpython, places.sourceLink) : tree.path;
      const done = await configureTree({...run, source, arguments: configure});
      if (!done.ok || !builtinExtensions) return done;
      const extensions = await buildExtensionsIn(tree.path, run, archives);
      return extensions.ok ? ok() : extensions;
    },
  });
  if (!configured.ok) return configured;

  const describe = await engine.sources(scriptFiles('describe_target.py'));
  if (!describe.ok) return describe;
  const built = await engine.run(
    makeAction(options, places, context, {
      compiler: compiler.value,
      environment: reproducible ? reproducibleEnvironment(environment) : environment,
      inputs: [...inputs.value, ...more.value, ...Object.values(configured.value.outputs), ...describe.value],
      ...(reproducible && {reproducible: {...reproducible, tree}}),
    }),
  );
  if (!built.ok) return built;
  // Made by configure, after `leaveOtherTree` looked for it.
  recordWritten(join(places.cpython, 'Makefile'));
  if (context.dryRun && built.value.outcome === 'executed') {
    return notBuiltYet();
  }
  const shape = configured.value.outputs['pyconfig.h'];
  const madeFrom = [...inputs.value, ...(shape === undefined ? [] : [shape])];
  return readStage1(built.value.outputs, madeFrom, compiler.value, found?.value ?? []);
}

/**
 * If the directory was configured for another tree, CPython is configured again. Keys do not cover this: of two trees with equal files,
 * each interpreter uses the library of its own tree. Fails with IO, and as a dry run does that had to build.
 */
async function leaveOtherTree(
  tree: SourceTree,
  {cpython}: SourcePlaces,
  {context}: Site,
): Promise<Result<void>> {
  const other = await configuredSource(cpython);
  if (other === undefined || other === tree.path) return ok();
  if (context.dryRun) return notBuiltYet();
  const message = `${cpython} was built from ${other}: rebuilding CPython from ${tree.path}`;
  context.events.emit({type: 'notice', message});
  const status = join(cpython, 'config.status');
  return attempt('remove', status, () => clearFile(status));
}

function notBuiltYet(): Result<never> {
  return fail('DRY_RUN', 'CPython is not built yet, so its modules are unknown', {
    hint: 'run once without --dry-run',
  });
}

function makeAction(
  options: SourceBuildOptions,
  places: SourcePlaces,
  context: Site['context'],
  parts: {
    readonly compiler: CompilerIdentity;
    readonly environment: Readonly<Record<string, string>>;
    readonly inputs: readonly Artifact[];
    readonly reproducible?: Reproducible & {readonly tree: SourceTree};
  },
): ActionSpec {
  const {signal} = context;
  const {environment, reproducible, compiler} = parts;
  return {
    id: 'stage1:python',
    tools: [parts.compiler, READERS],
    arguments: {
      make: options.makeArguments,
      variables: VARIABLES,
      ...(options.builtinExtensions && {builtinExtensions: true}),
      ...(reproducible && {reproducible: reproducibleKey(reproducible, compiler.family)}),
    },
    environment: {},
    inputs: parts.inputs,
    outputs: [
      {name: 'python', path: places.stage1, executable: true},
      {name: 'target', path: join(places.cpython, 'flashfreeze-target.json')},
      {name: 'variables', path: join(places.cpython, 'flashfreeze-variables.json')},
    ],
    storage: 'in-place',
    async execute({log, outputs}) {
      const run = {buildDir: places.cpython, environment, signal, onOutput: log};
      const profiled = reproducible ? await useProfile(reproducible, run) : ok([]);
      if (!profiled.ok) return profiled;
      const more = reproducible ? await makeArgumentsOf(reproducible.tree, places, compiler.family) : [];
      const flags = [...options.makeArguments, ...profiled.value, ...more];
      const made = await context.jobs.shared((jobserver) =>
        makeTree({...run, jobs: jobserver ?? context.jobs.width, flags}),
      );
      if (!made.ok) return made;
      // Whether it is in a shared library is known only after running it.
      const finding = {...environment, LD_LIBRARY_PATH: places.cpython};
      const target = await describeTarget({python: places.stage1, environment: finding, signal});
      if (!target.ok) return target;
      const usable = checkUsable(target.value);
      if (!usable.ok) return usable;
      const variables = await readMakeVariables(run, VARIABLES);
      if (!variables.ok) return variables;
      const described = await writeFileAtomic(outputs['target'] ?? '', JSON.stringify(target.value));
      if (!described.ok) return described;
      return writeFileAtomic(outputs['variables'] ?? '', JSON.stringify(variables.value));
    },
  };
}

/** The environment in which stage 1 runs: a libpython that is not installed has to be found. */
export function runEnvironment(
  {shared}: Target,
  places: SourcePlaces,
  environment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (!shared) return environment;
  const others = environment['LD_LIBRARY_PATH'];
  return {
    ...environment,
    LD_LIBRARY_PATH: others === undefined ? places.cpython : `${places.cpython}:${others}`,
  };
}

async function readStage1(
  outputs: Readonly<Record<string, Artifact>>,
  inputs: readonly Artifact[],
  compiler: CompilerIdentity,
  archives: readonly Artifact[],
): Promise<Result<Stage1>> {
  const {python, target, variables} = outputs;
  if (python === undefined || target === undefined || variables === undefined) {
    return fail('ACTION', 'stage1:python has no outputs');
  }
  const described = await readOutput(target.path, targetSchema);
  if (!described.ok) return described;
  const expanded = await readOutput(variables.path, variablesSchema);
  if (!expanded.ok) return expanded;
  return ok({python, target: described.value, variables: expanded.value, compiler, inputs, archives});
}

async function readOutput<T>(path: string, schema: z.ZodType<T>): Promise<Result<T>> {
  const file = await readJson(path, schema);
  if (file.kind === 'valid') return ok(file.value);
  const reason = file.kind === 'missing' ? 'no such file' : file.reason;
  return fail('IO', `cannot read ${path}: ${reason}`, {hint: 'build stage 1 again with --force'});
}
