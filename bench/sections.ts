/** The results of each suite, as a section of the document. */
import {type Pair, FROZEN, MARSHAL, type Ratioed, SNAPSHOT} from './ratios.js';
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

/** Says at which load times were taken, with a warning above the limit. */
function loadNote(rows: readonly Row[]): string {
  const loads = rows.flatMap(({load}) => load ?? []);
  if (loads.length === 0) return 'Times have not been measured yet.';
  const most = Math.max(...loads);
  const note = `Times were taken at a load average of ${most.toFixed(1)} or less.`;
  return most > QUIET
    ? `${note} **This is above the limit: results may include other load on the machine.**`
    : note;
}

/** What `-c pass` shows, which reads hardly any file. */
const NAMES = {wall: 'time', instructions: 'instructions', faults: 'page faults', pss: 'memory'} as const;
const NAMED = ['wall', 'instructions', 'faults', 'pss'] as const satisfies readonly (keyof typeof NAMES)[];

const DESCRIBED: readonly (readonly [RegExp, string])[] = [
  [/^source-3\.11/, "built from source, fixed addresses; stage 1 has CPython's own deepfreeze"],
  [/^source-shared/, 'built from source, in a shared libpython'],
  [/^source-builtin/, 'built from source with `--builtin-extensions`, compared with a stage 1 without it'],
  [/^source/, 'built from source, fixed addresses'],
  [/^relink-pie/, 'an installed Python, relinked, position-independent'],
  [/^relink/, 'an installed Python, relinked, fixed addresses'],
  [/^graft/, 'an installed Python, and a copy of its executable with images'],
  [/^overlay/, 'an unmodified installed Python with an overlay'],
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
    '### Start-up',
    'Ratios of frozen to unmodified: the same interpreter with images and without. Means are geometric.',
    table(
      ['', 'Python', 'description'],
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
    'How much is due to static code: **marshal bytes compared with unmodified**. Here the same modules are frozen in the way in which CPython ' +
      'freezes its own (a table of `PyImport_FrozenModules`). This avoids file searches and reads, and leaves the rest to importlib. Time:',
    table(head, lines('wall', MARSHAL, bytes)),
    'Instructions:',
    table(head, lines('instructions', MARSHAL, bytes)),
    'Page faults, and memory (PSS) of each of ten concurrent processes:',
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
  ['graft / installed', ['graft', 'unmodified']],
  ['overlay / installed', ['overlay', 'unmodified']],
  ['snapshot / installed', SNAPSHOT],
];

export function programsSection({rows}: Results): string {
  const tableOf = (quantity: Ratioed): string =>
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
  const tableIfMeasured = (title: string, quantity: Ratioed): readonly string[] =>
    rows.some(({sides}) => Object.values(sides).some((side) => side[quantity] !== null))
      ? [title, tableOf(quantity)]
      : [];
  return [
    '### Real programs',
    `Debian's packages on Debian's Python ${rows[0]?.python ?? ''}, each with everything frozen that it imports. The plain link is the same ` +
      'static archive linked without images: the first column includes the effect of compiler and linker, and the second does not.',
    `Time. ${loadNote(rows)}`,
    ...(isTimed(rows) ? [tableOf('wall')] : []),
    ...tableIfMeasured('Time without `.pyc` files, as in most containers:', 'noBytecode'),
    ...tableIfMeasured('Time with a cold page cache:', 'cold'),
    'Instructions:',
    tableOf('instructions'),
    'Memory (PSS) of each of ten concurrent processes of the same program, at their end:',
    tableOf('pss'),
  ].join('\n\n');
}

export function snapshotsSection({rows: all}: Results): string {
  const isRun = ({command}: Row): boolean => command.startsWith('run ');
  const rows = all.filter((row) => !isRun(row));
  const milliseconds = ({sides}: Row, side: string): string => numberCell(sides[side]?.wall?.median, 1);
  const mean = (some: readonly Row[], quantity: 'wall' | 'pss'): string =>
    numberCell(meanOf(some, SNAPSHOT, quantity), 2);
  const runs = all.filter(isRun);
  return [
    '### Snapshots',
    `Starts of ${rows[0]?.python ?? ''}, built from source: unmodified, with everything frozen that is imported, and from a [snapshot](snapshots.md) ` +
      'of these imports; the same words in all. ' +
      loadNote(rows),
    table(
      [
        '',
        'unmodified, ms',
        'frozen, ms',
        'snapshot, ms',
        'snapshot / unmodified',
        'memory, snapshot / unmodified',
      ],
      [
        ...rows.map((row) => [
          row.command,
          ...['unmodified', 'frozen', 'snapshot'].map((side) => milliseconds(row, side)),
          ratioCell(row, SNAPSHOT, 'wall'),
          ratioCell(row, SNAPSHOT, 'pss'),
        ]),
        ['mean', '', '', '', mean(rows, 'wall'), mean(rows, 'pss')],
      ],
    ),
    ...(runs.length === 0
      ? []
      : [
          'What programs that compute take after the start:',
          table(
            ['', 'unmodified, ms', 'snapshot, ms', 'snapshot / unmodified'],
            [
              ...runs.map((row) => [
                row.command.replace(/^run /, ''),
                ...['unmodified', 'snapshot'].map((side) => milliseconds(row, side)),
                ratioCell(row, SNAPSHOT, 'wall'),
              ]),
              ['mean', '', '', mean(runs, 'wall')],
            ],
          ),
        ]),
  ].join('\n\n');
}

export function unusedSection({rows}: Results): string {
  const few: Pair = ['frozen', 'few'];
  return [
    '### Frozen but not imported',
    'More than a thousand frozen modules, of which `-c pass` imports only those that CPython freezes itself: compared with unmodified, and ' +
      `with an interpreter that has only the latter (few). ${loadNote(rows)}`,
    table(
      ['', ...NAMED.flatMap((each) => [`${NAMES[each]} / unmodified`, '/ few'])],
      rows.map((row) => [
        row.subject,
        ...NAMED.flatMap((each) => [ratioCell(row, FROZEN, each), ratioCell(row, few, each)]),
      ]),
    ),
  ].join('\n\n');
}

export function runtimeSection({rows}: Results): string {
  const subjects = subjectsOf(rows);
  const of = (subject: string): Row[] => rows.filter((row) => row.subject === subject);
  return [
    '### Run time after start-up',
    'Ratios of frozen to unmodified for computing programs (`bench/runtime/`), without the time for start-up and imports. ' +
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
