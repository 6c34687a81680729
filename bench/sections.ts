/** The results of each suite, as a section of the document. */
import {type Pair, FROZEN, MARSHAL, RATIOED} from './ratios.js';
import type {Results, Row} from './results.js';
import {QUIET} from './quiet.js';
import {meanOf, numberCell, ratioCell, table} from './table.js';

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];

/** In the order of names, 3.9 before 3.10. */
export function subjectsOf(rows: readonly Row[]): readonly string[] {
  const names = unique(rows.map(({subject}) => subject));
  return [...names].sort((a, b) => a.localeCompare(b, 'en', {numeric: true}));
}

/** A command as the head of a column. */
function shortened(command: string): string {
  return `\`${command.replace(/^(import \w+),.*/, '$1, …')}\``;
}

export const isImport = ({command}: Row): boolean => command.startsWith('import ');

const isTimed = (rows: readonly Row[]): boolean => rows.some(({load}) => load !== null);

/** Whatever was timed while the machine had other things to do is told. */
function loadNote(rows: readonly Row[]): string {
  const loads = rows.flatMap(({load}) => load ?? []);
  if (loads.length === 0) return 'Times have not been taken yet.';
  const most = Math.max(...loads);
  const told = `Times were taken at a load average of ${most.toFixed(1)} or less.`;
  return most > QUIET ? `${told} **That is too much: they say what else the machine did.**` : told;
}

const NAMES = {wall: 'time', instructions: 'instructions', faults: 'page faults', pss: 'memory'} as const;

const DESCRIBED: readonly (readonly [RegExp, string])[] = [
  [/^source-3\.11/, "built from source, fixed addresses; stage 1 is CPython's own deepfreeze"],
  [/^source-shared/, 'built from source, in a shared libpython'],
  [/^source-builtin/, 'built from source with `--builtin-extensions`, over a stage 1 without'],
  [/^source/, 'built from source, fixed addresses'],
  [/^relink-pie/, 'an installed Python linked anew, position-independent'],
  [/^relink/, 'an installed Python linked anew, fixed addresses'],
  [/^overlay/, 'an installed Python as it is, with an overlay'],
];

function described(subject: string): string {
  return DESCRIBED.find(([pattern]) => pattern.test(subject))?.[1] ?? '';
}

export function startupSection({rows}: Results): string {
  const subjects = subjectsOf(rows);
  const commands = unique(rows.map(({command}) => command));
  const find = (subject: string, command: string): Row | undefined =>
    rows.find((row) => row.subject === subject && row.command === command);
  const head = ['', ...commands.map(shortened), 'mean of the imports'];
  const lines = (
    quantity: 'wall' | 'instructions',
    pair: Pair = FROZEN,
    shown: readonly string[] = subjects,
  ): string[][] =>
    shown.map((subject) => {
      const imports = rows.filter((row) => row.subject === subject && isImport(row));
      return [
        subject,
        ...commands.map((command) => ratioCell(find(subject, command), pair, quantity)),
        numberCell(meanOf(imports, pair, quantity), quantity === 'wall' ? 2 : 3),
      ];
    });
  const bytes = subjects.filter((subject) =>
    rows.some((row) => row.subject === subject && 'marshal' in row.sides),
  );
  const small = ['-c pass', 'import asyncio'];
  return [
    '### Start',
    'Frozen over unmodified: the same interpreter, without and with images. Means are geometric.',
    table(
      ['', 'Python', 'what it is'],
      subjects.map((subject) => [
        subject,
        rows.find((row) => row.subject === subject)?.python ?? '',
        described(subject),
      ]),
    ),
    `Time. ${loadNote(rows)}`,
    ...(isTimed(rows) ? [table(head, lines('wall'))] : []),
    'Instructions:',
    table(head, lines('instructions')),
    'What static code adds: **marshal bytes over unmodified**, where the same modules are frozen the way in which CPython freezes its own ' +
      '(a table of `PyImport_FrozenModules`). No file is looked for or read there; importlib does the rest as ever. Time:',
    table(head, lines('wall', MARSHAL, bytes)),
    'Instructions:',
    table(head, lines('instructions', MARSHAL, bytes)),
    'Page faults, and memory (PSS) of each of ten processes at once:',
    table(
      ['', ...small.flatMap((name) => [`faults, \`${name}\``, `memory, \`${name}\``])],
      subjects.map((subject) => [
        subject,
        ...small.flatMap((name) => [
          ratioCell(find(subject, name), FROZEN, 'faults'),
          ratioCell(find(subject, name), FROZEN, 'pss'),
        ]),
      ]),
    ),
  ].join('\n\n');
}

const PROGRAM_COLUMNS: readonly (readonly [string, Pair])[] = [
  ['relink / installed', ['relink', 'unmodified']],
  ['relink / plain link', ['relink', 'plain']],
  ['overlay / installed', ['overlay', 'unmodified']],
];

export function programsSection({rows}: Results): string {
  const tableOf = (quantity: 'wall' | 'instructions' | 'pss'): string =>
    table(
      ['', ...PROGRAM_COLUMNS.map(([name]) => name)],
      [
        ...rows.map((row) => [
          `\`${row.command}\``,
          ...PROGRAM_COLUMNS.map(([, pair]) => ratioCell(row, pair, quantity)),
        ]),
        [
          'mean',
          ...PROGRAM_COLUMNS.map(([, pair]) =>
            numberCell(meanOf(rows, pair, quantity), quantity === 'instructions' ? 3 : 2),
          ),
        ],
      ],
    );
  return [
    '### Real programs',
    `As Debian has them, on its Python ${rows[0]?.python ?? ''}, each with all that it imports frozen. The plain link is that of the same ` +
      'static archive without images: what the compiler and the linker give or take is in the first column, not in the second.',
    `Time. ${loadNote(rows)}`,
    ...(isTimed(rows) ? [tableOf('wall')] : []),
    'Instructions:',
    tableOf('instructions'),
    'Memory (PSS) of each of ten processes of the same program at once, at their end:',
    tableOf('pss'),
  ].join('\n\n');
}

export function unusedSection({rows}: Results): string {
  const few: Pair = ['frozen', 'few'];
  return [
    '### Frozen and not imported',
    'More than a thousand modules frozen, none of them imported by `-c pass` but what CPython freezes itself: over unmodified, and ' +
      `over an interpreter with the latter only. ${loadNote(rows)}`,
    table(
      ['', ...RATIOED.flatMap((each) => [`${NAMES[each]} / unmodified`, '/ few'])],
      rows.map((row) => [
        row.subject,
        ...RATIOED.flatMap((each) => [ratioCell(row, FROZEN, each), ratioCell(row, few, each)]),
      ]),
    ),
  ].join('\n\n');
}

export function runtimeSection({rows}: Results): string {
  const subjects = subjectsOf(rows);
  const of = (subject: string): Row[] => rows.filter((row) => row.subject === subject);
  return [
    '### Run time after the start',
    'Programs that compute (`bench/runtime/`), frozen over unmodified, without what it takes to start and import them. ' +
      loadNote(rows),
    table(
      ['', ...subjects.flatMap((subject) => [`${subject}, time`, `${subject}, instructions`])],
      [
        ...unique(rows.map(({command}) => command)).map((command) => [
          command,
          ...subjects.flatMap((subject) => {
            const row = of(subject).find((each) => each.command === command);
            return [ratioCell(row, FROZEN, 'wall'), ratioCell(row, FROZEN, 'instructions')];
          }),
        ]),
        [
          'mean',
          ...subjects.flatMap((subject) => [
            numberCell(meanOf(of(subject), FROZEN, 'wall'), 2),
            numberCell(meanOf(of(subject), FROZEN, 'instructions'), 3),
          ]),
        ],
      ],
    ),
  ].join('\n\n');
}
