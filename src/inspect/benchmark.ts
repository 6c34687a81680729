import {type Measurements, countInstructions, measureTime} from '../cpython/interpreter/measure.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {findTool} from '../exec/tools.js';
import {splitCommandLine} from '../model/shell-words.js';
import {type Result, fail, ok} from '../model/result.js';
import {refuseColdBaseline} from './bench-installation.js';
import type {BenchSubject} from './bench-subjects.js';
import type {HostContext} from '../pipeline/build-options.js';

export interface BenchRequest {
  /** What follows the interpreter, as one would type it. */
  readonly commands: readonly string[];
  readonly runs: number;
  /** Count instructions as well, when valgrind is there. */
  readonly instructions: boolean;
}

/** One command in both interpreters; times are medians. */
export interface BenchRow {
  readonly command: string;
  readonly stage1Ms: number;
  readonly stage2Ms: number;
  /** Half the distance between the quartiles of the ratio's two times, the larger one. */
  readonly spreadMs: number;
  /** Stage 2 over stage 1. */
  readonly wall: number;
  readonly stage1Faults: number;
  readonly stage2Faults: number;
  readonly stage1Instructions: number | null;
  readonly stage2Instructions: number | null;
  readonly instructions: number | null;
}

export interface BenchReport {
  readonly python: string;
  readonly commands: readonly BenchRow[];
}

/**
 * Measures stage 2 against stage 1, interleaved. Fails with BENCH when a command fails, or when the baseline is not warm;
 * with USAGE for a command that cannot be read.
 */
export async function benchmark(
  {python, stage1, stage2}: BenchSubject,
  request: BenchRequest,
  context: HostContext,
): Promise<Result<BenchReport>> {
  const {signal} = context;
  const environment = scrubbedEnvironment({}, context.userEnvironment);
  const valgrind = request.instructions ? await findTool('valgrind', environment['PATH']) : undefined;
  const rows: BenchRow[] = [];
  for (const command of request.commands) {
    const words = splitCommandLine(command);
    if (words === undefined) return fail('USAGE', `the command has an unclosed quote: ${command}`);
    const commands = [stage1, stage2].map((program) => ({
      words: [program.python, ...words],
      environment: program.environment,
    }));
    const warm = await refuseColdBaseline(stage1, words, signal);
    if (!warm.ok) return warm;
    const measured = await measureTime(
      {python: stage1.python, environment: stage1.environment, signal},
      {commands, rounds: request.runs, cwd: '/'},
    );
    if (!measured.ok) return measured;
    const [first, second] = measured.value;
    if (first === undefined || second === undefined) return fail('BENCH', 'the measurements are incomplete');
    const counts: (number | null)[] = [];
    for (const each of valgrind === undefined ? [] : commands) {
      const counted = await countInstructions(valgrind ?? '', each, '/', signal);
      if (!counted.ok) return counted;
      counts.push(counted.value);
    }
    rows.push(makeRow(command, first, second, counts));
  }
  return ok({python, commands: rows});
}

function makeRow(
  command: string,
  stage1: Measurements,
  stage2: Measurements,
  [instructions1 = null, instructions2 = null]: readonly (number | null)[],
): BenchRow {
  const stage1Ms = quantile(stage1.milliseconds, 0.5);
  const stage2Ms = quantile(stage2.milliseconds, 0.5);
  return {
    command,
    stage1Ms,
    stage2Ms,
    spreadMs: Math.max(halfQuartiles(stage1.milliseconds), halfQuartiles(stage2.milliseconds)),
    wall: stage2Ms / stage1Ms,
    stage1Faults: quantile(stage1.faults, 0.5),
    stage2Faults: quantile(stage2.faults, 0.5),
    stage1Instructions: instructions1,
    stage2Instructions: instructions2,
    instructions: instructions1 === null || instructions2 === null ? null : instructions2 / instructions1,
  };
}

/** The value below which a share of the values lies, interpolated. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

function halfQuartiles(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2;
}
