import type {BenchReport, BenchRow} from '../inspect/benchmark.js';
import type {Summary} from '../model/events.js';
import type {Product} from '../report/reporter.js';
import {alignColumns, percent} from './table.js';

/** The columns after those of warm starts, each where a command has it. */
const FURTHER: readonly (readonly [string, (row: BenchRow) => number | null | undefined])[] = [
  ['no .pyc', ({conditions}) => conditions['no-bytecode']?.wall],
  ['cold', ({conditions}) => conditions.cold?.wall],
  ['instructions', ({instructions}) => instructions],
];

/** The measurements as a table for people, and each row as an object of type `bench`. */
export function benchTable({commands}: BenchReport): Product[] {
  const further = FURTHER.filter(([, figure]) => commands.some((row) => typeof figure(row) === 'number'));
  const columns = ['', 'stage 1', 'stage 2', '+-', 'time', ...further.map(([name]) => name)];
  const rows = commands.map((row) => [
    row.command,
    `${row.stage1Ms.toFixed(2)} ms`,
    `${row.stage2Ms.toFixed(2)} ms`,
    `${row.spreadMs.toFixed(2)} ms`,
    percent(row.wall),
    ...further.map(([, figure]) => {
      const value = figure(row);
      return typeof value === 'number' ? percent(value) : '';
    }),
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
