import type {Interpreter} from '../cpython/run-script.js';
import {runProcess} from '../exec/process.js';
import {type Result, fail, ok} from '../model/result.js';

/** With a module's name as an argument, its image is made ready first; the module is not run. */
const QUESTION =
  'import sys, _flashfreeze as f; [f.code(name) for name in sys.argv[1:]]; i = f.info(); print(i["used"], i["inactive_because"])';
const TIMEOUT_MS = 60_000;

/**
 * Whether an interpreter starts, and uses images: a linker that ignored --wrap gives one that works and uses none.
 * @param flags what makes it use them, and `-B`
 * @param module one that has to have an image
 * Fails with SMOKE.
 */
export async function usesImages(
  {python, environment, signal}: Interpreter,
  flags: readonly string[] = ['-I', '-B'],
  module?: string,
): Promise<Result<void>> {
  const run = await runProcess({
    file: python,
    args: [...flags, '-c', QUESTION, ...(module === undefined ? [] : [module])],
    cwd: '/',
    environment,
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  if (!run.ok) return run;
  const {exitCode, stdout, stderr} = run.value;
  if (exitCode !== 0) {
    return fail('SMOKE', `The new interpreter does not start (exit code ${exitCode}).`, {details: stderr});
  }
  const [used, ...reason] = stdout.trim().split(' ');
  if (Number(used) > 0) return ok();
  return fail('SMOKE', `The new interpreter uses none of its images: ${reason.join(' ')}.`);
}
