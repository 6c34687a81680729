/** The goals, beside the measured results. */
import {suiteWith} from './options.js';
import {FROZEN, type Pair, type Ratioed, ratioOf, SNAPSHOT} from './ratios.js';
import {type Results, type Row} from './results.js';
import {isImport} from './sections.js';
import {meanOf, numberCell, table} from './table.js';

interface Goal {
  readonly what: string;
  readonly suite: string;
  readonly rows: (row: Row) => boolean;
  readonly pair: Pair;
  readonly quantity: Ratioed;
  readonly atMost: number;
  /** Whether the worst of all rows counts, not their mean. */
  readonly worst?: boolean;
}

const on = (subject: string, command: string) => (row: Row) =>
  row.subject === subject && row.command === command;
const every = (): boolean => true;
const startsWith = (command: string) => (row: Row) => row.command.startsWith(command);

/** What makes the end of a process quicker. */
const QUICK_END = ['--rest-collector', '--fast-exit'];

const GOALS: readonly Goal[] = [
  start('3.10, `-c pass`', on('relink-3.10', '-c pass'), 0.75),
  start('3.13.15, `-c pass`', on('source-3.13.15', '-c pass'), 0.8),
  start('3.13.15, `import asyncio`', on('source-3.13.15', 'import asyncio'), 0.62),
  start('3.13.15, mean of the imports', (row) => row.subject === 'source-3.13.15' && isImport(row), 0.6),
  withQuickEnd('3.13.15, `-c pass`', ({command}) => command === '-c pass', 0.65),
  withQuickEnd('3.13.15, `import asyncio`', ({command}) => command === 'import asyncio', 0.52),
  withQuickEnd('3.13.15, mean of the imports', isImport, 0.5),
  ...grafts('3.11 to 3.14', /^graft-3\.1[1-4]$/, 0.88, 0.7),
  ...grafts('3.15', /^graft-3\.15$/, 0.9, 0.73),
  program('five programs, `relink`, mean', ['relink', 'unmodified'], 0.65),
  program('five programs, `graft`, mean', ['graft', 'unmodified'], 0.67),
  {
    ...program(
      `five programs, \`relink\`, mean, with \`${QUICK_END.join(' ')}\``,
      ['relink', 'unmodified'],
      0.56,
    ),
    suite: suiteWith('programs', QUICK_END),
  },
  {
    ...program('five programs without `.pyc` files, `relink`, mean', ['relink', 'unmodified'], 0.16),
    quantity: 'noBytecode',
  },
  {
    ...start('memory of ten processes, `import asyncio`', on('source-3.13.15', 'import asyncio'), 0.95),
    quantity: 'pss',
  },
  {
    ...program('memory of ten processes of each program, `relink`', ['relink', 'unmodified'], 1),
    ...{quantity: 'pss', worst: true},
  },
  {
    ...program('memory of ten processes of each program, `overlay`', ['overlay', 'unmodified'], 1.06),
    ...{quantity: 'pss', worst: true},
  },
  {...start('a thousand frozen modules that are not imported', every, 1.01), suite: 'unused', worst: true},
  {...start('run time after start-up', every, 1.002), suite: 'runtime', worst: true},
  snapshot('`-c pass`', startsWith('-c pass'), 0.15),
  snapshot('`import asyncio`', startsWith('import asyncio'), 0.045),
  snapshot('seven imports', startsWith('import argparse'), 0.06),
  snapshot('sphinx, pylint, yt-dlp, mean', ({command}) => command.endsWith('--version'), 0.04),
  snapshot('a client of boto3', startsWith('a client of boto3'), 0.05),
  snapshot('django, set up and migrate', startsWith('django'), 0.25),
  {...snapshot('five programs of Debian 12, mean', every, 0.15), suite: 'programs'},
  {
    ...snapshot('memory of ten processes, `import asyncio`', startsWith('import asyncio'), 0.22),
    quantity: 'pss',
  },
];

function start(what: string, rows: Goal['rows'], atMost: number): Goal {
  return {what, suite: 'startup', rows, pair: FROZEN, quantity: 'wall', atMost};
}

function withQuickEnd(what: string, rows: Goal['rows'], atMost: number): Goal {
  return {
    ...start(`${what}, with \`--builtin-extensions ${QUICK_END.join(' ')}\``, rows, atMost),
    suite: suiteWith('startup', QUICK_END),
  };
}

function grafts(series: string, subjects: RegExp, pass: number, imports: number): readonly Goal[] {
  const isOne = ({subject}: Row): boolean => subjects.test(subject);
  return [
    start(`grafts of ${series}, \`-c pass\``, (row) => isOne(row) && row.command === '-c pass', pass),
    start(`grafts of ${series}, mean of the imports`, (row) => isOne(row) && isImport(row), imports),
  ];
}

function program(what: string, pair: Pair, atMost: number): Goal {
  return {what, suite: 'programs', rows: every, pair, quantity: 'wall', atMost};
}

function snapshot(what: string, rows: Goal['rows'], atMost: number): Goal {
  return {what: `snapshot, ${what}`, suite: 'snapshots', rows, pair: SNAPSHOT, quantity: 'wall', atMost};
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
