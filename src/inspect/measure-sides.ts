import {type Measurements, countInstructions, measureTime} from '../cpython/interpreter/measure.js';
import {type Result, ok} from '../model/result.js';
import {checkWarmBaseline} from './bench-installation.js';
import type {BenchProgram} from './bench-program.js';
import {type Figure, figureOf} from './statistics.js';

/** One command, which all sides run. */
export interface SidesCommand {
  /** What follows the interpreter. */
  readonly words: readonly string[];
  readonly cwd: string;
  /** Besides the sides' own. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface SidesRequest {
  readonly command: SidesCommand;
  /** The interpreters to compare; the first is the baseline. */
  readonly sides: readonly [BenchProgram, ...BenchProgram[]];
  /** The Python that starts the others, in the environment of the baseline. */
  readonly runner: string;
  /** How the baseline is started from here, where that differs from its path in `sides`. */
  readonly baseline?: string;
  /** How often each side runs for times and page faults; 0 measures neither. */
  readonly rounds: number;
  /** The valgrind that counts instructions; undefined counts none. */
  readonly valgrind: string | undefined;
  readonly signal: AbortSignal;
}

/** What one side took; null where it was not measured. */
export interface SideMeasurement {
  /** Wall-clock milliseconds from start to end. */
  readonly wall: Figure | null;
  /** Minor page faults. */
  readonly faults: Figure | null;
  readonly instructions: number | null;
}

/**
 * Measures all sides, in turn, so that what else the machine does hits each of them. Fails with BENCH when a command fails,
 * or when the baseline compiles modules at its start.
 */
export async function measureSides(request: SidesRequest): Promise<Result<readonly SideMeasurement[]>> {
  const {command, sides, valgrind, rounds, signal} = request;
  const {cwd, words} = command;
  const [baseline] = sides;
  const commands = sides.map(({python, environment}) => ({
    words: [python, ...words],
    environment: {...environment, ...command.environment},
  }));
  const warm = await checkWarmBaseline(
    {
      python: request.baseline ?? baseline.python,
      environment: {...baseline.environment, ...command.environment},
    },
    words,
    signal,
  );
  if (!warm.ok) return warm;
  let runs: readonly Measurements[] = [];
  if (rounds > 0) {
    const runner = {python: request.runner, environment: baseline.environment, signal};
    const measured = await measureTime(runner, {commands, rounds, cwd});
    if (!measured.ok) return measured;
    runs = measured.value;
  }
  const measurements: SideMeasurement[] = [];
  for (const [i, each] of commands.entries()) {
    const counted = valgrind === undefined ? ok(null) : await countInstructions(valgrind, each, cwd, signal);
    if (!counted.ok) return counted;
    measurements.push({
      wall: figureOf(runs[i]?.milliseconds ?? []) ?? null,
      faults: figureOf(runs[i]?.faults ?? []) ?? null,
      instructions: counted.value,
    });
  }
  return ok(measurements);
}
