import {z} from 'zod';
import {runProcess} from '../../exec/process.js';
import {type Result, fail, ok} from '../../model/result.js';
import {type Interpreter, runScript} from './run-script.js';

/** One figure for each round. */
export interface Measurements {
  /** Wall-clock time. */
  readonly milliseconds: readonly number[];
  /** Minor page faults. */
  readonly faults: readonly number[];
  /** Major page faults: pages of mapped files that were not in the page cache. */
  readonly reads: readonly number[];
  /** The most resident memory, in kilobytes; at least that of the Python that starts the command. */
  readonly peaks: readonly number[];
}

const figures = z.array(z.array(z.number()));
const answer = z.object({milliseconds: figures, faults: figures, reads: figures, peaks: figures});

/** The command as separate words. */
export interface MeasuredCommand {
  /** The first is the name by which the program is called. */
  readonly words: readonly string[];
  /** The executable, where that is not the first word. */
  readonly file?: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface MeasureRequest {
  readonly commands: readonly MeasuredCommand[];
  readonly rounds: number;
  readonly cwd: string;
  /** Files that are dropped from the page cache before each run. */
  readonly evicted?: readonly string[];
}

/**
 * Runs commands in turn, `rounds` times each (and once before, which does not count), from a Python that does nothing
 * else. Fails with BENCH when a command does not end with exit code 0.
 */
export async function measureTime(
  interpreter: Interpreter,
  request: MeasureRequest,
): Promise<Result<readonly Measurements[]>> {
  const measured = await runScript(interpreter, 'measure_runs.py', {
    flags: ['-I', '-S'],
    input: JSON.stringify({
      ...request,
      commands: request.commands.map((each) => ({file: each.words[0], ...each})),
      evicted: request.evicted ?? [],
    }),
    schema: answer,
    code: 'BENCH',
    timeoutMs: 60 * 60_000,
  });
  if (!measured.ok) return measured;
  const {milliseconds, faults, reads, peaks} = measured.value;
  return ok(
    milliseconds.map((times, i) => ({
      milliseconds: times,
      faults: faults[i] ?? [],
      reads: reads[i] ?? [],
      peaks: peaks[i] ?? [],
    })),
  );
}

/**
 * How many instructions a command executes, by valgrind's callgrind. The count repeats for the same binary, input and
 * environment. Fails with BENCH when the command or valgrind fails.
 */
export async function countInstructions(
  valgrind: string,
  {words, environment}: MeasuredCommand,
  cwd: string,
  signal: AbortSignal,
): Promise<Result<number>> {
  const run = await runProcess({
    file: valgrind,
    args: ['--tool=callgrind', '--callgrind-out-file=/dev/null', ...words],
    cwd,
    environment,
    signal,
    timeoutMs: 20 * 60_000,
  });
  if (!run.ok) return run;
  const count = /Collected : (\d+)/.exec(run.value.stderr)?.[1];
  if (run.value.exitCode !== 0 || count === undefined) {
    return fail('BENCH', `valgrind could not count the instructions of ${words.join(' ')}`, {
      details: run.value.stderr.slice(-2000),
    });
  }
  return ok(Number(count));
}
