import {z} from 'zod';
import {failure, type Failure} from '../../../model/failure.js';
import {err, ok, type Result} from '../../../model/result.js';
import {moduleRecord, type ModuleRecord} from './modules.js';
import {runScript, type Interpreter} from '../run-script.js';

const answer = z.object({
  modules: z.array(moduleRecord),
  missing: z.array(z.object({name: z.string(), near: z.array(z.string()), error: z.string().nullable()})),
});
type Missing = z.infer<typeof answer>['missing'][number];

/** A Python, and the directory that is first on its `sys.path`, as with `-c`; without one, none is. */
export interface LookUpPlace extends Interpreter {
  readonly cwd?: string;
}

/**
 * Finds modules by name, without importing more than their parent packages. Fails with NO_MODULE when one is not
 * there or its parent package cannot be imported, and with DISCOVER when a package ends the search altogether.
 */
export function resolveModules(
  place: LookUpPlace,
  names: readonly string[],
): Promise<Result<readonly ModuleRecord[]>> {
  return ask(place, {modules: names});
}

/** A package and all its submodules that lie on disk, found without importing them. Fails as `resolveModules` does. */
export function packageModules(place: LookUpPlace, name: string): Promise<Result<readonly ModuleRecord[]>> {
  return ask(place, {packages: [name]});
}

/**
 * Every module of the standard library that has Python source: `sys.stdlib_module_names` and the submodules of the
 * packages among them. The packages of tests only when asked for.
 */
export function stdlibModules(
  interpreter: Interpreter,
  options: {readonly tests?: boolean} = {},
): Promise<Result<readonly ModuleRecord[]>> {
  return ask(interpreter, {stdlib: true, tests: options.tests ?? false});
}

async function ask(
  {cwd, ...interpreter}: LookUpPlace,
  request: object,
): Promise<Result<readonly ModuleRecord[]>> {
  const run = await runScript(interpreter, 'resolve_modules.py', {
    // A filter for warnings of the user's could make errors of those of packages.
    flags: ['-W', 'ignore'],
    input: JSON.stringify({...request, ...(cwd === undefined ? {} : {directory: cwd})}),
    ...(cwd === undefined ? {} : {cwd}),
    schema: answer,
    code: 'DISCOVER',
  });
  if (!run.ok) return run;
  const [first, ...others] = run.value.missing;
  return first ? err(explain(interpreter.python, first, others)) : ok(run.value.modules);
}

function explain(python: string, first: Missing, others: readonly Missing[]): Failure {
  if (first.error !== null) {
    return failure('NO_MODULE', `${python} failed to find module ${first.name}: ${first.error}`);
  }
  const names = [first, ...others].map(({name}) => name).join(', ');
  const near = [...new Set([first, ...others].flatMap((missing) => missing.near))].join(', ');
  const hint = near === '' ? 'it must be importable by that Python' : `did you mean ${near}?`;
  const what = others.length === 0 ? 'module' : 'modules';
  return failure('NO_MODULE', `${python} has no ${what} ${names}`, {hint});
}
