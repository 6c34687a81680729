/**
 * Real programs on the system's Python, each frozen whole: as it is installed, the plain link of its archive, relinked with
 * images, grafted, with an overlay, and from a snapshot of its imports.
 *
 *     node bench/run.mjs programs [--on 'mercurial black'] [--with '--fast-exit'] [--measure 'wall faults …'] [--rounds 60]
 */
import {existsSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {NO_BYTECODE} from '../../src/cpython/interpreter/run-script.js';
import {scrubbedEnvironment} from '../../src/exec/environment.js';
import type {BenchProgram} from '../../src/inspect/bench-program.js';
import {PROGRAMS} from '../../support/programs.js';
import {freshFolder, openWorkplace, traceOptions} from '../../support/workplace.js';
import {filesIn} from '../conditions.js';
import {type Contest, localPlace} from '../contest.js';
import {FOLDER} from '../context.js';
import {type Extent, measure} from '../measuring.js';
import {sayRow, suiteOptions, suiteWith} from '../options.js';
import {type Pair, SNAPSHOT} from '../ratios.js';
import {keepRows, type Row} from '../results.js';
import {snapshotSide} from '../snapshot-side.js';
import {graft, overlay, relink} from '../subjects.js';

const PYTHON = '/usr/bin/python3.11';

const HOSTS = ['relink', 'graft', 'overlay', 'snapshot'] as const;

/** What each of them is asked for, by its name among the tests' programs. */
const STARTS: Readonly<Record<string, readonly string[]>> = {
  mercurial: ['/usr/bin/hg', 'version'],
  httpie: ['/usr/bin/http', '--version'],
  black: ['/usr/bin/black', '--version'],
  'yt-dlp': ['/usr/bin/yt-dlp', '--version'],
  ansible: ['/usr/bin/ansible', '--version'],
};

/** What is compared. */
export const PROGRAM_PAIRS: readonly Pair[] = [
  ['relink', 'unmodified'],
  ['relink', 'plain'],
  ['graft', 'unmodified'],
  ['overlay', 'unmodified'],
  SNAPSHOT,
];

/** Names of the programs that are installed here. */
export function presentPrograms(): readonly string[] {
  if (!existsSync(PYTHON)) return [];
  return PROGRAMS.filter(({name, needs}) => name in STARTS && existsSync(needs)).map(({name}) => name);
}

/** @param options further ones of the command line */
export async function measureProgram(
  name: string,
  extent: Extent,
  options: readonly string[] = [],
): Promise<Row> {
  const words = STARTS[name];
  const program = PROGRAMS.find((each) => each.name === name);
  if (words === undefined || program === undefined) {
    throw new Error(`no program ${name}: there are ${Object.keys(STARTS).join(', ')}`);
  }
  const {work, close} = await openWorkplace();
  try {
    freshFolder(work, program);
    const environment = {HOME: work.folder, TMPDIR: join(work.folder, 'tmp'), COLUMNS: '100'};
    const contest = await freezeProgram(name, [...traceOptions(work, program), ...options], {
      environment,
      cwd: work.folder,
    });
    freshFolder(work, program);
    const [file = '', ...rest] = words;
    const command = [file.split('/').at(-1), ...rest].join(' ');
    const conditions = {
      place: join(FOLDER, 'programs', `starts-${name}`),
      files: HOSTS.flatMap((host) => filesIn(folderOf(host, name))),
    };
    return await measure(contest, {name: command, words, cwd: work.folder, environment, conditions}, extent);
  } finally {
    close();
  }
}

function folderOf(host: (typeof HOSTS)[number], name: string): string {
  const folder = join(FOLDER, 'programs', `${host}-${name}`);
  mkdirSync(folder, {recursive: true});
  return folder;
}

async function freezeProgram(
  name: string,
  selection: readonly string[],
  run: Parameters<typeof snapshotSide>[3],
): Promise<Contest> {
  const relinked = await relink(
    {python: PYTHON, folder: folderOf('relink', name), pie: false},
    selection,
    run,
  );
  const grafted = await graft({python: PYTHON, folder: folderOf('graft', name)}, selection, run);
  const overlaid = await overlay({python: PYTHON, folder: folderOf('overlay', name)}, selection, run);
  const snapshot = await snapshotSide(
    ['--python', PYTHON],
    join(folderOf('snapshot', name), 'python'),
    selection,
    run,
  );
  const unmodified: BenchProgram = {python: PYTHON, environment: scrubbedEnvironment(NO_BYTECODE)};
  return {
    subject: name,
    python: relinked.python,
    sides: [
      {name: 'unmodified', program: unmodified},
      {name: 'plain', program: relinked.stage1},
      {name: 'relink', program: relinked.stage2},
      {name: 'graft', program: grafted.stage2},
      {name: 'overlay', program: overlaid.stage2},
      snapshot,
    ],
    place: await localPlace(unmodified),
  };
}

export async function suite(words: readonly string[]): Promise<void> {
  const options = suiteOptions(words);
  for (const name of options.on ?? presentPrograms()) {
    const row = await measureProgram(name, options, options.with);
    sayRow(row, PROGRAM_PAIRS);
    await keepRows(suiteWith('programs', options.with), [row]);
  }
}
