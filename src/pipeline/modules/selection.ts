import {resolve} from 'node:path';
import {parsePythonCommand} from '../../cpython/interpreter/python-command.js';
import {type Trace, traceImports} from '../../cpython/interpreter/modules/program-trace.js';
import type {ModuleRecord} from '../../cpython/interpreter/modules/modules.js';
import {
  packageModules,
  resolveModules,
  stdlibModules,
} from '../../cpython/interpreter/modules/resolve-modules.js';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {isFileSync, realpath} from '../../fs/recorded-fs.js';
import {splitCommandLine} from '../../model/shell-words.js';
import {type Result, fail, ok} from '../../model/result.js';
import type {HostContext, ModuleSelection} from '../build-options.js';
import {FoundModules, type SameName} from './found-modules.js';
import {lookUpEnvironment, programEnvironment} from './program-environment.js';
import {findTraceProblem, type TraceProblem} from './trace-problem.js';

/** Whether a selection depends on the user's environment and working directory. */
export function dependsOnUser({traces, modules, packages}: ModuleSelection): boolean {
  return traces.length > 0 || modules.length > 0 || packages.length > 0;
}

/** A glob over module names as a regular expression: `*` is any text, `?` any character. */
function globPattern(glob: string): RegExp {
  const escaped = glob.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** The result of a selection. */
export interface Selected {
  readonly modules: readonly ModuleRecord[];
  /** Modules that are not among them because another one has their name. */
  readonly sameNames: readonly SameName[];
  /** What the traced programs compile at run time, by kind. */
  readonly compiled: Trace['compiled'];
  /** The environment variables that they read; null stands for all. */
  readonly variables: Trace['variables'];
  /** What went wrong with them. */
  readonly problems: readonly TraceProblem[];
}

/**
 * The modules of a selection, each once, in the order of imports. Runs the target once for each trace, as the user would run it.
 * Fails with USAGE for a trace that cannot be read, with NO_MODULE, DISCOVER or INTERRUPTED.
 */
export async function selectModules(
  interpreter: Interpreter,
  selection: ModuleSelection,
  {cwd, userEnvironment}: Pick<HostContext, 'cwd' | 'userEnvironment'>,
): Promise<Result<Selected>> {
  const found = new FoundModules();
  const compiled = new CompiledSources();
  const variables = new Set<string | null>();
  const problems: TraceProblem[] = [];
  const program = programEnvironment(interpreter, userEnvironment);
  const traces = [
    // The start-up depends on the Python alone.
    ...(selection.startup ? [{...interpreter, argv: ['-c', 'pass'], cwd}] : []),
    ...selection.traces.map((trace) => ({...interpreter, ...program, argv: splitCommandLine(trace), cwd})),
  ];
  for (const {argv, ...request} of traces) {
    if (argv === undefined) return fail('USAGE', 'a --trace has an unclosed quote');
    const trace = await traceImports({...request, argv});
    if (!trace.ok) return trace;
    found.add(trace.value.modules);
    compiled.add(trace.value.compiled);
    trace.value.variables.forEach((name) => variables.add(name));
    const problem = findTraceProblem(argv, trace.value);
    if (problem !== undefined) problems.push(problem);
  }
  // Named modules are those that the user's own `python -c "import NAME"` would import here.
  const place = {...interpreter, environment: lookUpEnvironment(interpreter, userEnvironment), cwd};
  const listings = [
    ...(selection.modules.length > 0 ? [() => resolveModules(place, selection.modules)] : []),
    ...selection.packages.map((name) => () => packageModules(place, name)),
    // The library depends on the Python alone.
    ...(selection.stdlib ? [() => stdlibModules(interpreter)] : []),
  ];
  for (const list of listings) {
    const records = await list();
    if (!records.ok) return records;
    found.add(records.value);
  }
  const excluded = selection.exclude.map(globPattern);
  const isWanted = (name: string): boolean => !excluded.some((pattern) => pattern.test(name));
  return ok({
    modules: found.modules(isWanted),
    sameNames: found.sameNames(isWanted),
    compiled: compiled.byKind,
    variables: [...variables].sort(),
    problems,
  });
}

/** Collects what programs compile at run time, each source once. */
class CompiledSources {
  readonly byKind: Record<string, unknown[]> = {};
  readonly #known = new Set<string>();

  add(compiled: Trace['compiled']): void {
    for (const [kind, sources] of Object.entries(compiled)) {
      const list = (this.byKind[kind] ??= []);
      for (const each of sources) {
        const key = JSON.stringify([kind, each]);
        if (!this.#known.has(key)) list.push(each);
        this.#known.add(key);
      }
    }
  }
}

/**
 * The files of the scripts that a selection runs: absolute paths. What they import is in no module's list of names. Of a directory
 * that is run, it is the module `__main__`; a missing one is reported when it is run.
 */
export function tracedScripts(
  {traces, programFiles = []}: Pick<ModuleSelection, 'traces' | 'programFiles'>,
  cwd: string,
): readonly string[] {
  const scripts = traces.flatMap((trace) => {
    const command = parsePythonCommand(splitCommandLine(trace) ?? []);
    return command.ok && command.value.program.kind === 'script' ? [command.value.program.path] : [];
  });
  const files = scripts.flatMap((path) => [resolve(cwd, path), resolve(cwd, path, '__main__.py')]);
  return [...new Set([...programFiles, ...files])].filter(isFileSync);
}

/**
 * Where the files of scripts really lie: the directory of the real file is the first on `sys.path`, so the same text behind a link to another
 * release imports other modules.
 */
export function realScripts(scripts: readonly string[]): Promise<readonly string[]> {
  return Promise.all(scripts.map((path) => realpath(path).catch(() => path)));
}
