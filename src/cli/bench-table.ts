import type {BenchReport} from '../inspect/benchmark.js';
import type {Summary} from '../model/events.js';
import type {Product} from '../report/reporter.js';

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
  const widths = columns.map((head, column) =>
    Math.max(...[head, ...rows.map((row) => row[column] ?? '')].map((cell) => cell.length)),
  );
  const text = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [
    {text: text(columns)},
    ...commands.map((row, index) => ({text: text(rows[index] ?? []), record: {type: 'bench', ...row}})),
  ];
}

/** Stage 2 over stage 1: how much of the time is left. */
function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

/** The same for the summary. */
export function ratiosOf({commands}: BenchReport): NonNullable<Summary['ratios']> {
  return Object.fromEntries(
    commands.map(({command, wall, instructions}) => [command, {wall, instructions}] as const),
  );
}
