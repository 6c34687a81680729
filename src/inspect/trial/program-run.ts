import {type Ending, runToAnyEnd} from '../../exec/process.js';
import {fail, ok, type Result} from '../../model/result.js';

/** A way to start a program. */
export interface ProgramStart {
  readonly file: string;
  /** The first is the name by which it is called. */
  readonly words: readonly string[];
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** What a program did that ended well. */
export interface ProgramRun {
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds. */
  readonly took: number;
}

/** So long may a program run, in milliseconds. */
const LIMIT_MS = 30_000;
const LAST_CHARACTERS = 2000;

/**
 * Runs a program without a terminal and without input. Fails with BENCH when it cannot be measured: it fails, or does not end by
 * itself.
 */
export async function runProgram(start: ProgramStart): Promise<Result<ProgramRun>> {
  const [argv0 = start.file, ...args] = start.words;
  const began = performance.now();
  const run = await runToAnyEnd({...start, argv0, args, timeoutMs: LIMIT_MS});
  if (!run.ok) return run;
  const took = performance.now() - began;
  const {stdout, stderr, ending} = run.value;
  const problem = problemOf(ending);
  if (problem === undefined) return ok({stdout, stderr, took});
  const said = (stderr.trimEnd() === '' ? stdout : stderr).trimEnd().slice(-LAST_CHARACTERS);
  return fail('BENCH', `the program ${problem.what}, so there is nothing to measure`, {
    hint: problem.hint,
    ...(said === '' ? {} : {details: said}),
  });
}

function problemOf(ending: Ending): {readonly what: string; readonly hint: string} | undefined {
  if (ending.kind === 'timeout') {
    const what = `did not end within ${ending.seconds} s`;
    return {what, hint: 'choose arguments with which it ends by itself, such as --version or --help'};
  }
  if (ending.kind === 'exit' && ending.code === 0) return undefined;
  const what =
    ending.kind === 'exit' ? `ended with exit code ${ending.code}` : `was killed by ${ending.signal}`;
  return {what, hint: 'choose arguments with which it succeeds without a terminal and without input'};
}

/** The first difference between what two runs printed, as text for people; undefined if there is none. */
export function outputDifference(one: ProgramRun, other: ProgramRun): string | undefined {
  for (const stream of ['stdout', 'stderr'] as const) {
    if (one[stream] === other[stream]) continue;
    const [lines, others] = [one[stream].split('\n'), other[stream].split('\n')];
    const at = lines.findIndex((line, i) => line !== others[i]);
    const index = at < 0 ? lines.length : at;
    const [was, is] = [lines[index], others[index]].map((line) =>
      line === undefined ? '(nothing)' : JSON.stringify(line),
    );
    return `line ${index + 1} of ${stream}: ${was} and ${is}`;
  }
  return undefined;
}
