/**
 * Starts from snapshots: of the start itself, of the imports that programs begin with, and of programs; beside the unmodified interpreter and
 * one with the same modules frozen. All run the same words. Instructions are not counted, because a start in valgrind is an ordinary one.
 *
 * Of ten programs that compute, the time after the start is measured, too: with `--on run`, or without `--on`.
 *
 *     node bench/run.mjs snapshots [--on 'yt-dlp sphinx'] [--measure 'wall faults memory'] [--rounds 60]
 */
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {quoteForShell} from '../../src/model/shell-words.js';
import {run} from '../../support/rig.js';
import {FOLDER} from '../context.js';
import type {Contest} from '../contest.js';
import {type Extent, measure} from '../measuring.js';
import {sayRow, suiteOptions} from '../options.js';
import {type Pair, SNAPSHOT} from '../ratios.js';
import {keepRows, type Row} from '../results.js';
import {nothingBut, snapshotSide} from '../snapshot-side.js';
import {makeContest, targetOptions} from '../subjects.js';
import {RUNTIME_PROGRAMS, RUNTIME_SOURCES, timeAfter} from './runtime.js';
import {IMPORTS} from './startup.js';

const SUBJECT = 'source-3.13.15';

/** What is compared. */
export const SNAPSHOT_PAIRS: readonly Pair[] = [SNAPSHOT, ['snapshot', 'frozen']];

/** What is started: the interpreter with these words. */
interface Start {
  readonly name: string;
  readonly words: readonly string[];
  /** Of the package index, with what they need. */
  readonly packages: readonly string[];
  /** Modules of its own, by name. */
  readonly modules?: Readonly<Record<string, string>>;
  /** What is in the snapshot: the imports of these words, by default of the same. */
  readonly imports?: readonly string[];
  /** What is measured, too, and taken off. */
  readonly without?: readonly string[];
}

const DJANGO = `import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes'],
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},
)
django.setup()
from django.core.management import call_command


def migrate():
    call_command('migrate', verbosity=0)
`;

const BOTO3 = `import boto3
client = boto3.client('s3', region_name='eu-west-1', aws_access_key_id='a', aws_secret_access_key='b')
`;

const version = (name: string): Start => ({
  name: `${name} --version`,
  words: ['-m', name.replaceAll('-', '_'), '--version'],
  packages: [name],
});

/** Times of runs differ less than those of starts, and take longer. */
const FEWER_ROUNDS = 4;

const runOf = (program: string): Start => ({
  name: `run ${program}`,
  words: ['-c', `import ${program}; ${program}.main()`],
  without: ['-c', `import ${program}`],
  imports: ['-c', `import ${RUNTIME_PROGRAMS.join(', ')}`],
  packages: [],
  modules: Object.fromEntries(
    RUNTIME_PROGRAMS.map((each) => [each, readFileSync(join(RUNTIME_SOURCES, `${each}.py`), 'utf8')]),
  ),
});

const STARTS: readonly Start[] = [
  {name: '-c pass', words: ['-c', 'pass'], packages: []},
  ...IMPORTS.slice(0, 2).map((names) => ({
    name: `import ${names}`,
    words: ['-c', `import ${names}`],
    packages: [],
  })),
  ...['yt-dlp', 'sphinx', 'pylint'].map(version),
  {
    name: 'a client of boto3',
    words: ['-c', 'import project; project.client.meta'],
    packages: ['boto3'],
    modules: {project: BOTO3},
  },
  {
    name: 'django, set up and migrate',
    words: ['-c', 'import project; project.migrate()'],
    packages: ['django'],
    modules: {project: DJANGO},
  },
  ...RUNTIME_PROGRAMS.map(runOf),
];

export async function suite(words: readonly string[]): Promise<void> {
  const options = suiteOptions(words);
  for (const start of STARTS) {
    const isWanted = options.on?.some((name) => start.name.startsWith(name)) ?? true;
    if (!isWanted) continue;
    const row = await measureSnapshot(start, options);
    sayRow(row, SNAPSHOT_PAIRS);
    await keepRows('snapshots', [row]);
  }
}

async function measureSnapshot(start: Start, extent: Extent): Promise<Row> {
  const {name, words, packages, modules = {}, imports = words, without} = start;
  const home = join(FOLDER, 'snapshots', packages[0] ?? (without === undefined ? 'none' : 'run'));
  const selection = ['--trace', quoteForShell(imports)];
  const environment = {HOME: home};
  mkdirSync(home, {recursive: true});
  await install(packages, modules, home);
  const run = {environment: nothingBut(environment), cwd: home};
  const contest = await makeContest(SUBJECT, selection, 'snapshots', run);
  const snapshot = await snapshotSide(await snapshotTarget(), join(home, 'python'), selection, {
    environment,
    cwd: home,
  });
  const quantities = new Set(extent.quantities);
  quantities.delete('instructions');
  const [unmodified, ...others] = contest.sides;
  const all: Contest = {...contest, sides: [unmodified, ...others, snapshot]};
  const measured = (some: readonly string[], wanted: Extent): Promise<Row> =>
    measure(all, {name, words: some, cwd: home, environment: {HOME: home}}, wanted);
  if (without === undefined) return measured(words, {...extent, quantities});
  const timed = {rounds: Math.ceil(extent.rounds / FEWER_ROUNDS), quantities: new Set(['wall'] as const)};
  return timeAfter(await measured(words, timed), await measured(without, timed));
}

/** Puts packages and modules, with their bytecode, where interpreters find them whose user has that home directory. */
async function install(
  packages: readonly string[],
  modules: Readonly<Record<string, string>>,
  home: string,
): Promise<void> {
  const folder = join(home, '.local', 'lib', 'python3.13', 'site-packages');
  const isThere = existsSync(folder);
  const fileOf = (name: string): string => join(folder, `${name}.py`);
  const isUpToDate = ([name, text]: readonly [string, string]): boolean =>
    existsSync(fileOf(name)) && readFileSync(fileOf(name), 'utf8') === text;
  if (isThere && Object.entries(modules).every(isUpToDate)) return;
  if (!isThere) {
    const fresh = `${folder}.new`;
    rmSync(fresh, {recursive: true, force: true});
    mkdirSync(fresh, {recursive: true});
    // Extension modules come for the Python that runs pip: these packages do without them where another one cannot use them.
    if (packages.length > 0) {
      const install = ['-m', 'pip', 'install', '--quiet', '--no-compile', '--target', fresh];
      await succeed('python3', [...install, ...packages]);
    }
    renameSync(fresh, folder);
  }
  for (const [name, text] of Object.entries(modules)) writeFileSync(fileOf(name), text);
  const {sides} = await makeContest(SUBJECT, ['--startup'], 'snapshots');
  // Some packages have files that are no Python of this version.
  await run(sides[0].program.python, ['-m', 'compileall', '-q', folder]);
}

async function succeed(file: string, words: readonly string[]): Promise<void> {
  const {exitCode, stderr} = await run(file, words);
  if (exitCode !== 0) throw new Error(`${file} ${quoteForShell(words)}: ${stderr}`);
}

/** Compiled with the flags of the other sides, in a build directory of its own. */
async function snapshotTarget(): Promise<readonly string[]> {
  const [sourceOption = '', source = '', buildOption = '', buildDir = ''] = await targetOptions(SUBJECT);
  return [sourceOption, source, buildOption, `${buildDir}-snapshot-bench`];
}
