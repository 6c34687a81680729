import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import type {Layout} from '../../codegen/layout.js';
import {type Interpreter, runScript} from '../../cpython/interpreter/run-script.js';
import {type ScriptName, scriptFiles} from '../../cpython/interpreter/scripts.js';
import type {Artifact, Secrecy} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {type Result, ok} from '../../model/result.js';
import type {HostContext, ModuleSelection} from '../build-options.js';
import type {Tools} from '../images/image-tools.js';
import {READERS} from '../reader-identity.js';
import {mentionsLocalPath} from '../local-paths.js';
import {output} from '../action-output.js';
import type {FreezePlan} from '../modules/module-plan.js';

/** A kind of source that programs compile at every start, and that can be compiled when the interpreter is built. */
export interface PreparedKind<Source, Compiled extends Source> {
  /** Names the action (`index:<name>`), and the list in which the tracer writes down sources (trace_imports.py). */
  readonly name: string;
  readonly isChosen: (selection: ModuleSelection) => boolean;
  /** What the tracer notes of a source. */
  readonly source: z.ZodType<Source>;
  /** What the script makes of it. */
  readonly compiled: z.ZodType<Compiled>;
  /**
   * Compiles a JSON array of sources with the target itself, and prints the array of the results. It leaves out every source
   * whose compilation does more than give a result.
   */
  readonly script: ScriptName;
  /** The target's options for the script. */
  readonly flags: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Everything in a source that may contain a path. */
  readonly textOf: (source: Source) => string;
  /**
   * The modules that do the compiling, which have to be frozen: results are valid as long as the code that computed them is
   * unchanged. None where the interpreter compiles by itself; undefined where the runtime uses no results in this version.
   */
  readonly compilers: (layout: Layout) => readonly string[] | undefined;
  /** The C of the table in which the runtime looks for results. */
  readonly table: (compiled: readonly Compiled[]) => string;
}

/** The tools that preparing needs. */
export type PreparationTools = Pick<Tools, 'engine' | 'places' | 'toolchain'>;

/** A target that compiles by itself, without the engine. */
export interface PreparingTarget extends Pick<Tools['toolchain'], 'layout' | 'interpreter'> {
  /** Text with a path in this directory is left out. */
  readonly folder: string;
}

/** A kind of prepared source, whatever its types. */
export interface Preparation {
  readonly name: string;
  readonly isChosen: (selection: ModuleSelection) => boolean;
  /**
   * `index:<name>`: the sources, compiled by the target. Undefined where there are none, or where what compiles them is not
   * frozen itself. Fails with DISCOVER, PYTHON and IO.
   */
  readonly prepare: (
    wanted: readonly unknown[],
    plan: FreezePlan,
    tools: PreparationTools,
    context: HostContext,
    secrecy?: Secrecy,
  ) => Promise<Result<Artifact | undefined>>;
  /** What `prepare` has in its file, for a build system with an engine of its own. Fails with DISCOVER and PYTHON. */
  readonly compile: (
    wanted: readonly unknown[],
    plan: FreezePlan,
    target: PreparingTarget,
    context: LocalPlaces,
  ) => Promise<Result<string | undefined>>;
  /** The C of the table of what was compiled, which is the content of a file that `prepare` made. */
  readonly table: (compiled: string | undefined) => string;
}

type LocalPlaces = Pick<HostContext, 'cwd' | 'userEnvironment'>;

export function preparationOf<Source, Compiled extends Source>(
  kind: PreparedKind<Source, Compiled>,
): Preparation {
  const {name, isChosen, script} = kind;
  const results = z.array(kind.compiled);
  const select = (
    wanted: readonly unknown[],
    plan: FreezePlan,
    layout: Layout,
    folder: string,
    context: LocalPlaces,
  ): {sources: readonly Source[]; compilers: FreezePlan['modules']} | undefined => {
    const compilers = compilersIn(plan, kind.compilers(layout));
    const sources = z
      .array(kind.source)
      .parse(wanted)
      .filter((source) => !mentionsLocalPath(kind.textOf(source), folder, context));
    return compilers === undefined || sources.length === 0 ? undefined : {sources, compilers};
  };
  const compileAll = async (
    sources: readonly Source[],
    interpreter: Interpreter,
  ): Promise<Result<string>> => {
    const environment = {...interpreter.environment, ...kind.environment};
    const compiled = await runScript({...interpreter, environment}, script, {
      flags: kind.flags,
      input: JSON.stringify(sources),
      schema: results,
      code: 'DISCOVER',
    });
    return compiled.ok ? ok(JSON.stringify(compiled.value)) : compiled;
  };
  return {
    name,
    isChosen,
    async prepare(wanted, plan, {engine, places, toolchain}, context, secrecy) {
      const selected = select(wanted, plan, toolchain.layout, places.root, context);
      if (selected === undefined) return ok(undefined);
      const {sources, compilers} = selected;
      const inputs = await engine.sources([
        ...scriptFiles(script),
        ...compilers.map(({sourceName, source}) => ({name: sourceName, path: source})),
      ]);
      if (!inputs.ok) return inputs;
      const action = await engine.run({
        id: `index:${name}`,
        tools: [toolchain.identity, READERS],
        arguments: {[name]: digestOf(JSON.stringify(sources))},
        environment: {},
        inputs: inputs.value,
        outputs: [{name, path: join(places.work, `${name}.json`)}],
        storage: 'shared',
        ...(secrecy === undefined ? {} : {secrecy}),
        async execute({outputs}) {
          const compiled = await compileAll(sources, toolchain.interpreter);
          if (!compiled.ok) return compiled;
          await writeFile(outputs[name] ?? '', compiled.value);
          return ok();
        },
      });
      return action.ok ? ok(output(action.value, name)) : action;
    },
    async compile(wanted, plan, {layout, interpreter, folder}, context) {
      const selected = select(wanted, plan, layout, folder, context);
      return selected === undefined ? ok(undefined) : compileAll(selected.sources, interpreter);
    },
    table: (compiled) => kind.table(compiled === undefined ? [] : results.parse(JSON.parse(compiled))),
  };
}

/** The modules, unless one of them is not frozen. */
function compilersIn(
  {modules}: FreezePlan,
  names: readonly string[] | undefined,
): FreezePlan['modules'] | undefined {
  const found = modules.filter(({module}) => names?.includes(module));
  return found.length === names?.length ? found : undefined;
}
