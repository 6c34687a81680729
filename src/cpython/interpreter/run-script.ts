import type {z} from 'zod';
import {askProcess} from './answers.js';
import type {FailureCode} from '../../model/failure.js';
import {fail, ok, type Result} from '../../model/result.js';
import {scriptPath, type ScriptName} from './scripts.js';

/** A Python to run, and how. */
export interface Interpreter {
  /** Path of the executable. */
  readonly python: string;
  /** The path by which it is called, and from which it finds its library, if that is another one. */
  readonly argv0?: string;
  /** All of its environment (see `scrubbedEnvironment`). */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Python never writes bytecode into the trees that it is run in: they are not ours. */
export const NO_BYTECODE = {PYTHONDONTWRITEBYTECODE: '1'} as const;

/**
 * Runs one of our scripts in a Python (`script ANSWER REQUEST`, both files) and reads the JSON that it answers.
 *
 * `code` is the failure code when the script ends without an answer; PYTHON when the executable cannot be started, or answers
 * something else.
 */
export async function runScript<T>(
  interpreter: Interpreter,
  script: ScriptName,
  options: {
    readonly flags?: readonly string[];
    readonly input?: string;
    readonly schema: z.ZodType<T>;
    readonly code: FailureCode;
    readonly cwd?: string;
    /** Milliseconds; two minutes if not given. */
    readonly timeoutMs?: number;
  },
): Promise<Result<T>> {
  const {python, argv0, signal} = interpreter;
  const run = await askProcess({
    file: python,
    ...(argv0 === undefined ? {} : {argv0}),
    args: (...files) => ['-B', ...(options.flags ?? []), scriptPath(script), ...files],
    cwd: options.cwd ?? '/',
    environment: {...interpreter.environment, ...NO_BYTECODE},
    signal,
    ...(options.input === undefined ? {} : {request: options.input}),
    timeoutMs: options.timeoutMs ?? 120_000,
  });
  if (!run.ok) {
    if (run.failure.code === 'INTERRUPTED') return run;
    const hint = run.failure.hint ?? 'give the path of a Python executable';
    return fail('PYTHON', `cannot run ${python}: ${run.failure.message}`, {...run.failure, hint});
  }
  // An answer is written in one go when all is done: what ends the process after that is not our script.
  const {answer: text, exitCode, said} = run.value;
  if (exitCode !== 0 && parseJson(text) === undefined) {
    return fail(options.code, `${python} failed to run ${script} (exit code ${exitCode})`, {
      details: said,
      hint: 'give the path of a Python executable that runs on this machine',
    });
  }
  if (text === '') {
    return fail('PYTHON', `${python} did not run ${script}, and so is no Python`, {
      ...(said === '' ? {} : {details: said}),
      hint: 'give the path of a Python executable',
    });
  }
  const answer = options.schema.safeParse(parseJson(text));
  if (answer.success) return ok(answer.data);
  return fail('PYTHON', `${python} sent an invalid response`, {details: answer.error.message});
}

/** Undefined when the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
