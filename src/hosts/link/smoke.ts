import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {askProcess} from '../../cpython/interpreter/answers.js';
import {type Result, fail, ok} from '../../model/result.js';

/**
 * A function of importlib is frozen by CPython itself, and every start imports it: a linker that did not redirect the calls
 * that give out its code (--wrap, which objects of a link-time optimisation do not heed) leaves it as it was, even where
 * getpath is static.
 */
const LINKED = `import sys, _flashfreeze as f, _frozen_importlib_external as e
with open(sys.argv[1], "w") as file:
    print(int(f.is_static(e.cache_from_source.__code__)), f.info()["inactive_because"], file=file)`;
/** Of a graft, importlib itself comes too early; codecs is the first that CPython freezes and that every start imports after it. */
const GRAFTED = `import sys, _flashfreeze as f, codecs as c
with open(sys.argv[1], "w") as file:
    print(int(f.is_static(c.open.__code__)), f.info()["inactive_because"], file=file)`;
/** The module's image is prepared, but the module does not run. */
const LOADED = `import sys, _flashfreeze as f
f.code(sys.argv[2]); i = f.info()
with open(sys.argv[1], "w") as file:
    print(i["used"], i["inactive_because"], file=file)`;
/** The stamps of the sources are written last, beside an interpreter that works. */
const TRUSTING = ['-X', 'flashfreeze=on'];
const TIMEOUT_MS = 60_000;

/**
 * Whether an interpreter starts, and uses images: a linker that ignored --wrap gives one that works and uses none.
 * @param flags what makes it use them, and `-B`
 * @param module one that has to have an image: of images that are loaded, which come too late for importlib itself
 * Fails with SMOKE.
 */
export function usesImages(
  interpreter: Interpreter,
  flags: readonly string[] = ['-I', '-B'],
  module?: string,
): Promise<Result<void>> {
  return ask(interpreter, (answer) => [
    ...flags,
    '-c',
    ...(module === undefined ? [LINKED, answer] : [LOADED, answer, module]),
  ]);
}

/** The same for a graft. */
export function usesGraft(interpreter: Interpreter): Promise<Result<void>> {
  return ask(interpreter, (answer) => ['-I', '-B', '-c', GRAFTED, answer]);
}

async function ask(
  {python, environment, signal}: Interpreter,
  args: (answer: string) => readonly string[],
): Promise<Result<void>> {
  const run = await askProcess({
    file: python,
    args: (answer) => [...TRUSTING, ...args(answer)],
    cwd: '/',
    environment,
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  if (!run.ok) return run;
  const {exitCode, answer, said} = run.value;
  if (exitCode !== 0) {
    return fail('SMOKE', `the new interpreter does not start (exit code ${exitCode})`, {details: said});
  }
  const [used, ...reason] = answer.trim().split(' ');
  if (Number(used) > 0) return ok();
  return fail('SMOKE', `the new interpreter uses none of its images: ${reason.join(' ')}`);
}
