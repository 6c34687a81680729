import {traceImports} from '../cpython/interpreter/modules/program-trace.js';
import {examineFrozen, type FrozenInterpreter} from '../cpython/interpreter/examine.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {splitCommandLine} from '../model/shell-words.js';
import {fail, ok, type Result} from '../model/result.js';
import type {HostContext} from '../pipeline/build-options.js';
import {programEnvironment} from '../pipeline/modules/program-environment.js';
import {findTraceProblem, reportTraceProblems, type TraceProblem} from '../pipeline/modules/trace-problem.js';

/** The variables that decide whether images are used and where modules are found. */
const DECIDING = ['FLASHFREEZE', 'PYTHONPATH', 'PYTHONHOME', 'PYTHONUSERBASE', 'PYTHONNOUSERSITE'];

/** A frozen interpreter, and which modules programs use of it. */
export interface Examination extends FrozenInterpreter {
  /** Frozen modules that none of the programs imports; undefined without programs. */
  readonly unused: readonly string[] | undefined;
}

/**
 * Examines a frozen interpreter as it would be in the user's own shell.
 * @param traces programs to run in `cwd`, written as after `python`
 *
 * Fails with USAGE for a program that cannot be read, with DISCOVER for one that does not run; else as `examineFrozen`.
 */
export async function examineInterpreter(
  python: string,
  traces: readonly string[],
  cwd: string,
  {userEnvironment, signal, events}: HostContext,
): Promise<Result<Examination>> {
  const own = DECIDING.flatMap((name) => {
    const value = userEnvironment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const environment = scrubbedEnvironment(Object.fromEntries(own), userEnvironment);
  const interpreter = {python, environment, signal};
  const examined = await examineFrozen(interpreter, cwd);
  if (!examined.ok) return examined;
  const imported = new Set<string>();
  const program = programEnvironment(interpreter, userEnvironment);
  const problems: TraceProblem[] = [];
  for (const argv of traces.map(splitCommandLine)) {
    if (argv === undefined) return fail('USAGE', 'a --trace has an unclosed quote');
    const trace = await traceImports({...interpreter, ...program, argv, cwd});
    if (!trace.ok) return trace;
    const problem = findTraceProblem(argv, trace.value);
    if (problem !== undefined) problems.push(problem);
    for (const {name} of trace.value.modules) imported.add(name);
  }
  reportTraceProblems(problems, false, events);
  const names = examined.value.modules.map(({name}) => name);
  const unused = traces.length === 0 ? undefined : names.filter((name) => !imported.has(name));
  return ok({...examined.value, unused});
}
