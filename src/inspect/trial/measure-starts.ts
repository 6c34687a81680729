import {copyFile, realpath} from 'node:fs/promises';
import {join} from 'node:path';
import {type Measurements, measureTime} from '../../cpython/interpreter/measure.js';
import {ok, type Result} from '../../model/result.js';
import {type Figure, figureOf} from '../statistics.js';
import type {FoundProgram} from './find-program.js';
import {
  type BytecodePlaces,
  START_CONDITIONS,
  type StartCondition,
  conditionEnvironment,
  conditionWords,
  filesOfStart,
} from './start-condition.js';

/** One way to start a program. */
export interface StartSide {
  readonly file: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts under one condition: medians of milliseconds. */
export interface StartRow {
  readonly condition: StartCondition;
  readonly original: Figure;
  readonly frozen: Figure;
  /** Frozen over original. */
  readonly wall: number;
}

export interface MeasuredStarts {
  /** Those that could be had: without `cold` where the page cache keeps its pages. */
  readonly rows: readonly StartRow[];
  /** The most resident memory, in kilobytes: medians. */
  readonly memory: {readonly original: number; readonly frozen: number};
}

export interface StartsRequest {
  readonly program: FoundProgram;
  readonly original: StartSide;
  readonly frozen: StartSide;
  readonly bytecode: BytecodePlaces;
  /** What the frozen side reads besides the original's files. */
  readonly files: readonly string[];
  /** A directory for what measuring needs. */
  readonly place: string;
  readonly cwd: string;
  /** How long a start takes, in milliseconds: so often it is measured. */
  readonly took: number;
  readonly signal: AbortSignal;
}

/** How long the measurements of a condition take at most, but for slow programs, in milliseconds, and how often each side runs. */
const EXTENT = {
  warm: {budget: 4000, most: 40, least: 5},
  'no bytecode': {budget: 3000, most: 20, least: 3},
  cold: {budget: 3000, most: 10, least: 3},
} as const satisfies Record<StartCondition, object>;
/** A start that compiles everything takes about so much longer. */
const COMPILING = 5;

/** Measures both sides under every condition, in turn. Fails with BENCH when a start fails. */
export async function measureStarts(request: StartsRequest): Promise<Result<MeasuredStarts>> {
  const {program, original, frozen, bytecode, cwd, took, signal} = request;
  const runner = await copyRunner(request);
  const evicted = [...(await filesOfStart(bytecode)), ...request.files, await realpath(program.python)];
  const rows: StartRow[] = [];
  let memory = {original: 0, frozen: 0};
  for (const condition of START_CONDITIONS) {
    const {budget, most, least} = EXTENT[condition];
    const each = took * (condition === 'warm' ? 2 : 1 + COMPILING);
    const measured = await measureTime(
      {...runner, environment: original.environment, signal},
      {
        commands: [original, frozen].map(({file, environment}) => ({
          file,
          words: conditionWords(program, condition, bytecode),
          environment: conditionEnvironment(environment, condition, bytecode),
        })),
        rounds: Math.max(least, Math.min(most, Math.floor(budget / each))),
        cwd,
        evicted: condition === 'cold' ? evicted : [],
      },
    );
    if (!measured.ok) return measured;
    const [one, other] = measured.value;
    const row = rowOf(condition, one, other);
    if (row !== undefined) rows.push(row);
    if (condition === 'warm') memory = {original: medianOf(one?.peaks), frozen: medianOf(other?.peaks)};
  }
  return ok({rows, memory});
}

/** Undefined where there is nothing to tell: after an eviction that evicted nothing. */
function rowOf(
  condition: StartCondition,
  one: Measurements | undefined,
  other: Measurements | undefined,
): StartRow | undefined {
  const [original, frozen] = [one, other].map((side) => figureOf(side?.milliseconds ?? []));
  if (original === undefined || frozen === undefined) return undefined;
  if (condition === 'cold' && (medianOf(one?.reads) === 0 || medianOf(other?.reads) === 0)) return undefined;
  return {condition, original, frozen, wall: frozen.median / original.median};
}

function medianOf(values: readonly number[] = []): number {
  return figureOf(values)?.median ?? 0;
}

/** A copy of the interpreter that does the measuring: what it has mapped cannot be evicted. */
async function copyRunner({
  program,
  place,
}: StartsRequest): Promise<{readonly python: string; readonly argv0: string}> {
  const python = join(place, 'runner');
  await copyFile(program.python, python);
  return {python, argv0: program.python};
}
