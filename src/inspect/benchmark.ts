import {z} from 'zod';
import {scrubbedEnvironment} from '../exec/environment.js';
import {findTool} from '../exec/tools.js';
import {splitCommandLine} from '../model/shell-words.js';
import {type Result, fail, ok} from '../model/result.js';
import type {BenchSubject} from './bench-subjects.js';
import {type SideMeasurement, measureSides} from './measure-sides.js';
import {
  type ConditionRatios,
  conditionRatios,
  measureConditions,
  type OtherCondition,
} from './bench-conditions.js';
import {ratio} from './statistics.js';
import type {HostContext} from '../pipeline/build-options.js';

export interface BenchRequest {
  /** What follows the interpreter, as one would type it. */
  readonly commands: readonly string[];
  readonly runs: number;
  /** Count instructions as well, when valgrind is there. */
  readonly instructions: boolean;
  /** What to measure besides warm starts. */
  readonly conditions: readonly OtherCondition[];
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
  /** What was measured besides; without `cold` where the page cache keeps its pages. */
  readonly conditions: ConditionRatios;
}

export interface BenchReport {
  readonly python: string;
  readonly commands: readonly BenchRow[];
}

/** A `BenchReport` as serialised. */
export const benchReportSchema: z.ZodType<BenchReport> = z.object({
  python: z.string(),
  commands: z.array(
    z.object({
      command: z.string(),
      stage1Ms: z.number(),
      stage2Ms: z.number(),
      spreadMs: z.number(),
      wall: z.number(),
      stage1Faults: z.number(),
      stage2Faults: z.number(),
      stage1Instructions: z.number().nullable(),
      stage2Instructions: z.number().nullable(),
      instructions: z.number().nullable(),
      conditions: conditionRatios,
    }),
  ),
});

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
    const measured = await measureSides({
      command: {words, cwd: '/'},
      sides: [stage1, stage2],
      runner: stage1.python,
      rounds: request.runs,
      valgrind,
      signal,
    });
    if (!measured.ok) return measured;
    const row = makeRow(command, measured.value);
    if (row === undefined) return fail('BENCH', 'the measurements are incomplete');
    const conditions = await measureConditions(
      row.stage1Ms,
      words,
      [stage1, stage2],
      request.conditions,
      context,
    );
    if (!conditions.ok) return conditions;
    rows.push({...row, conditions: conditions.value});
  }
  return ok({python, commands: rows});
}

/** Undefined when a side was not measured. */
function makeRow(
  command: string,
  [stage1, stage2]: readonly (SideMeasurement | undefined)[],
): Omit<BenchRow, 'conditions'> | undefined {
  const wall = ratio(stage2?.wall, stage1?.wall);
  if (!stage1?.wall || !stage2?.wall || wall === undefined) return undefined;
  return {
    command,
    stage1Ms: stage1.wall.median,
    stage2Ms: stage2.wall.median,
    spreadMs: Math.max(stage1.wall.spread, stage2.wall.spread),
    wall,
    stage1Faults: stage1.faults?.median ?? 0,
    stage2Faults: stage2.faults?.median ?? 0,
    stage1Instructions: stage1.instructions,
    stage2Instructions: stage2.instructions,
    instructions: ratio(stage2.instructions, stage1.instructions) ?? null,
  };
}
