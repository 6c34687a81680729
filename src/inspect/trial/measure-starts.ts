import type {Measurements} from '../../cpython/interpreter/measure.js';
import {ok, type Result} from '../../model/result.js';
import {type BytecodePlaces, START_CONDITIONS, type StartCondition} from '../start-condition.js';
import {type StartsRequest, measureUnder} from '../start-place.js';
import {type Figure, figureOf} from '../statistics.js';

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

/**
 * Measures both sides under every condition. Fails with BENCH when a start fails.
 * @param took how long a warm start takes, in milliseconds
 */
export async function measureStarts(
  request: StartsRequest,
  bytecode: BytecodePlaces,
  took: number,
): Promise<Result<MeasuredStarts>> {
  const rows: StartRow[] = [];
  let memory = {original: 0, frozen: 0};
  for (const condition of START_CONDITIONS) {
    const measured = await measureUnder(condition, request, bytecode, took);
    if (!measured.ok) return measured;
    const [one, other] = measured.value ?? [];
    const row = rowOf(condition, one, other);
    if (row !== undefined) rows.push(row);
    if (condition === 'warm') memory = {original: medianOf(one?.peaks), frozen: medianOf(other?.peaks)};
  }
  return ok({rows, memory});
}

function rowOf(
  condition: StartCondition,
  one: Measurements | undefined,
  other: Measurements | undefined,
): StartRow | undefined {
  const [original, frozen] = [one, other].map((side) => figureOf(side?.milliseconds ?? []));
  if (original === undefined || frozen === undefined) return undefined;
  return {condition, original, frozen, wall: frozen.median / original.median};
}

function medianOf(values: readonly number[] = []): number {
  return figureOf(values)?.median ?? 0;
}
