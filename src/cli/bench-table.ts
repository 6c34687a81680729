import type {BenchReport} from '../inspect/benchmark.js';
import type {Summary} from '../model/events.js';
import type {Product} from '../report/reporter.js';
import {alignColumns, percent} from './table.js';

const HEAD = ['', 'stage 1', 'stage 2', '+-', 'time', 'instructions'];

/** The measurements as a table for people, and each row as an object of type `bench`. */
export function benchTable({commands}: BenchReport): Product[] {
  const columns = commands.some(({instructions}) => instructions !== null) ? HEAD : HEAD.slice(0, -1);
  const rows = commands.map((row) => [
    row.command,
    `${row.stage1Ms.toFixed(2)} ms`,
    `${row.stage2Ms.toFixed(2)} ms`,
    `${row.spreadMs.toFixed(2)} ms`,
    percent(row.wall),
    row.instructions === null ? '' : percent(row.instructions),
  ]);
  const [head = '', ...lines] = alignColumns([columns, ...rows]);
  return [
    {text: head},
    ...commands.map((row, index) => ({text: lines[index] ?? '', record: {type: 'bench', ...row}})),
  ];
}

/** The same for the summary. */
export function ratiosOf({commands}: BenchReport): NonNullable<Summary['ratios']> {
  return Object.fromEntries(
    commands.map(({command, wall, instructions}) => [command, {wall, instructions}] as const),
  );
}
