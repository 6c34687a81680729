import {type Pair, type Ratioed, ratioOf, spreadOf} from './ratios.js';
import type {Row} from './results.js';
import {geometricMean} from '../src/inspect/statistics.js';

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const NOTHING = '–';

/** A ratio for a table, with what half of the runs lie from it where that is known. */
export function ratioCell(row: Row | undefined, pair: Pair, quantity: Ratioed): string {
  const ratio = row && ratioOf(row, pair, quantity);
  if (row === undefined || ratio === undefined) return NOTHING;
  const spread = quantity === 'wall' ? spreadOf(row, pair) : undefined;
  const digits = quantity === 'instructions' ? 3 : 2;
  return spread === undefined ? ratio.toFixed(digits) : `${ratio.toFixed(digits)} ± ${spread.toFixed(2)}`;
}

/** The geometric mean over rows that all have the figure. */
export function meanOf(rows: readonly Row[], pair: Pair, quantity: Ratioed): number | undefined {
  const ratios = rows.flatMap((row) => ratioOf(row, pair, quantity) ?? []);
  return rows.length === 0 || ratios.length < rows.length ? undefined : geometricMean(ratios);
}

export function numberCell(value: number | undefined, digits: number): string {
  return value === undefined ? NOTHING : value.toFixed(digits);
}
