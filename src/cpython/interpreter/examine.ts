import {z} from 'zod';
import {fail, ok, type Result} from '../../model/result.js';
import {runScript, type Interpreter} from './run-script.js';

/**
 * `changed`: a fresh compile of the source gives other code; `gone`: there is no source any more; `shadowed`: an ordinary
 * import finds another file of that name.
 */
const MODULE_STATES = ['current', 'changed', 'gone', 'shadowed'] as const;

const FROZEN_MODULE = z.object({
  name: z.string(),
  /** The source file, or `frozen` for what CPython freezes itself. */
  origin: z.string(),
  state: z.enum(MODULE_STATES),
  /** The file that shadows it. */
  by: z.string().nullable(),
});
export type FrozenModule = z.infer<typeof FROZEN_MODULE>;

/** What a frozen interpreter reports about itself. */
const FROZEN_INTERPRETER = z.object({
  /** `3.13.15` */
  python: z.string(),
  /** Why its images are not in use; null when they are. */
  inactiveBecause: z.string().nullable(),
  modules: z.array(FROZEN_MODULE),
  /** How many images an interpreter that does nothing else has used. */
  used: z.number(),
  /** Its inputs and tools. Other versions of flashfreeze may report other fields. */
  build: z.looseObject({flashfreeze: z.string(), host: z.string()}),
});
export type FrozenInterpreter = z.infer<typeof FROZEN_INTERPRETER>;

/**
 * Asks an interpreter, run in the directory `cwd`, for its frozen modules, and checks whether each is what an ordinary import would load. Fails
 * with PYTHON when it cannot be asked, with SMOKE when it does not start, or has no frozen modules.
 */
export async function examineFrozen(
  interpreter: Interpreter,
  cwd: string,
): Promise<Result<FrozenInterpreter>> {
  const schema = FROZEN_INTERPRETER.nullable();
  const answer = await runScript(interpreter, 'examine_executable.py', {schema, code: 'SMOKE', cwd});
  if (!answer.ok) return answer;
  if (answer.value !== null) return ok(answer.value);
  return fail(
    'SMOKE',
    `${interpreter.python} has no frozen modules: it was not built by flashfreeze, and loads no overlay`,
    {
      hint: 'pass an executable made by flashfreeze build or relink, or one that loads an overlay',
    },
  );
}
