import {mkdtemp} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {privateCacheDir} from '../cache/private-cache-dir.js';
import {parsePythonCommand} from '../cpython/interpreter/python-command.js';
import {ensurePrivate} from '../fs/private-directory.js';
import {removeTree} from '../fs/removal.js';
import {type Result, ok} from '../model/result.js';
import type {HostContext} from '../pipeline/build-options.js';
import type {BenchProgram} from './bench-program.js';
import type {StartCondition} from './start-condition.js';
import {makeBytecodePlaces, measureUnder, type StartSide} from './start-place.js';
import {figureOf} from './statistics.js';

/** A condition under which the baseline may compile its modules. */
export type OtherCondition = Exclude<StartCondition, 'warm'>;

/** Starts under such a condition; times are medians. */
export interface ConditionFigures {
  readonly stage1Ms: number;
  readonly stage2Ms: number;
  /** Stage 2 over stage 1. */
  readonly wall: number;
}

const figures = z.object({stage1Ms: z.number(), stage2Ms: z.number(), wall: z.number()}).optional();
/** What was measured; without `cold` where the page cache keeps its pages. */
export const conditionRatios = z.object({'no-bytecode': figures, cold: figures});
export type ConditionRatios = Readonly<Partial<Record<OtherCondition, ConditionFigures | undefined>>>;

/**
 * Measures a command under other conditions, with bytecode in a directory made for it. Fails with BENCH when a start fails.
 * @param took how long a warm start takes, in milliseconds
 */
export async function measureConditions(
  took: number,
  words: readonly string[],
  [stage1, stage2]: readonly [BenchProgram, BenchProgram],
  conditions: readonly OtherCondition[],
  {cacheDir, signal}: HostContext,
): Promise<Result<ConditionRatios>> {
  if (conditions.length === 0) return ok({});
  const command = parsePythonCommand(words);
  if (!command.ok) return command;
  const [one, other] = [stage1, stage2].map(({python, environment}) => ({
    ...{file: python, name: python, environment},
  })) as [StartSide, StartSide];
  const ours = join(privateCacheDir(cacheDir), 'measured');
  const owned = await ensurePrivate(ours);
  if (!owned.ok) return owned;
  const place = await mkdtemp(join(ours, 'starts-'));
  try {
    const bytecode = await makeBytecodePlaces(place);
    const request = {
      command: command.value,
      sides: [one, other],
      place,
      files: [],
      cwd: '/',
      signal,
    } as const;
    // The first start fills the directory of bytecode.
    const filled = await measureUnder('warm', request, bytecode, Number.POSITIVE_INFINITY);
    if (!filled.ok) return filled;
    const figures: [OtherCondition, ConditionFigures][] = [];
    for (const condition of conditions) {
      const measured = await measureUnder(condition, request, bytecode, took);
      if (!measured.ok) return measured;
      const [was, is] = (measured.value ?? []).map(({milliseconds}) => figureOf(milliseconds)?.median);
      if (was === undefined || is === undefined) continue;
      figures.push([condition, {stage1Ms: was, stage2Ms: is, wall: is / was}]);
    }
    return ok(Object.fromEntries(figures));
  } finally {
    await removeTree(place);
  }
}
