import {ratio} from '../src/inspect/statistics.js';
import type {Row} from './results.js';

/** Two sides by name: the one that is judged, and its baseline. */
export type Pair = readonly [judged: string, baseline: string];

/** Where there are two sides only. */
export const FROZEN: Pair = ['frozen', 'unmodified'];

/** Of builds from source: stage 1 with the same modules as marshal bytes, as CPython freezes its own. */
export const MARSHAL: Pair = ['marshal', 'unmodified'];

/** Of snapshots. */
export const SNAPSHOT: Pair = ['snapshot', 'unmodified'];

/** What can be compared: wall-clock time, warm, without `.pyc` files and with a cold page cache; instructions, page faults, PSS. */
export const RATIOED = ['wall', 'noBytecode', 'cold', 'instructions', 'faults', 'pss'] as const;
export type Ratioed = (typeof RATIOED)[number];

/** Of medians. Undefined where one of the two was not measured. */
export function ratioOf({sides}: Row, [judged, baseline]: Pair, quantity: Ratioed): number | undefined {
  return ratio(sides[judged]?.[quantity], sides[baseline]?.[quantity]);
}

/** How far the ratio of two times goes with the spreads of both. */
export function spreadOf(row: Row, pair: Pair): number | undefined {
  const wall = ratioOf(row, pair, 'wall');
  if (wall === undefined) return undefined;
  const relative = pair.map((name) => {
    const {median, spread} = row.sides[name]?.wall ?? {median: 1, spread: 0};
    return spread / median;
  });
  return wall * Math.hypot(...relative);
}
