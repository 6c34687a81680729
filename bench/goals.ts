/** The goals, beside the measured results. */
import {FROZEN, type Pair, type Ratioed, ratioOf} from './ratios.js';
import {type Results, type Row} from './results.js';
import {isImport} from './sections.js';
import {meanOf, numberCell, table} from './table.js';

interface Goal {
  readonly what: string;
  readonly suite: string;
  readonly rows: (row: Row) => boolean;
  readonly pair: Pair;
  readonly quantity: 'wall' | 'pss';
  readonly atMost: number;
  /** Whether the worst of all rows counts, not their mean. */
  readonly worst?: boolean;
}

const on = (subject: string, command: string) => (row: Row) =>
  row.subject === subject && row.command === command;
const every = (): boolean => true;

const GOALS: readonly Goal[] = [
  start('3.10, `-c pass`', on('relink-3.10', '-c pass'), 0.68),
  start('3.13.15, `-c pass`', on('source-3.13.15', '-c pass'), 0.85),
  start('3.13.15, `import asyncio`', on('source-3.13.15', 'import asyncio'), 0.68),
  start('3.13.15, mean of the imports', (row) => row.subject === 'source-3.13.15' && isImport(row), 0.68),
  program('five programs, `relink`, mean', ['relink', 'unmodified'], 0.68),
  program('five programs, `overlay`, mean', ['overlay', 'unmodified'], 0.75),
  {
    ...start('memory of ten processes, `import asyncio`', on('source-3.13.15', 'import asyncio'), 0.95),
    quantity: 'pss',
  },
  {
    ...program('memory of ten processes of each program, `relink`', ['relink', 'unmodified'], 1),
    ...{quantity: 'pss', worst: true},
  },
  {...start('a thousand frozen modules that are not imported', every, 1.02), suite: 'unused', worst: true},
  {...start('run time after start-up', every, 1.01), suite: 'runtime', worst: true},
];

function start(what: string, rows: Goal['rows'], atMost: number): Goal {
  return {what, suite: 'startup', rows, pair: FROZEN, quantity: 'wall', atMost};
}

function program(what: string, pair: Pair, atMost: number): Goal {
  return {what, suite: 'programs', rows: every, pair, quantity: 'wall', atMost};
}

/** @param resultsOf the results of a suite by its name */
export function goalsSection(resultsOf: (suite: string) => Results | undefined): string {
  const lines = GOALS.map((goal) => {
    const {what, suite, rows, quantity, atMost} = goal;
    const judged = resultsOf(suite)?.rows.filter(rows) ?? [];
    const value = measured(judged, goal, quantity);
    const instructions = quantity === 'wall' ? measured(judged, goal, 'instructions') : undefined;
    return [what, String(atMost), numberCell(value, 2), numberCell(instructions, 3)];
  });
  return [
    '### Goals',
    table(['time (or memory), frozen / unmodified', 'goal', 'measured', 'instructions'], lines),
  ].join('\n\n');
}

function measured(rows: readonly Row[], {pair, worst = false}: Goal, quantity: Ratioed): number | undefined {
  if (!worst) return meanOf(rows, pair, quantity);
  const ratios = rows.flatMap((row) => ratioOf(row, pair, quantity) ?? []);
  return ratios.length === 0 ? undefined : Math.max(...ratios);
}
