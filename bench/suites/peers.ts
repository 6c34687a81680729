/**
 * Programs as they are installed, with frozen interpreters, and by other means to start faster: a zip archive of the program (zipapp), and
 * lazy imports of 3.15.
 *
 *     node bench/run.mjs peers [--on 'pylint sphinx'] [--rounds 20]
 */
import {existsSync, mkdirSync, renameSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {describeTarget} from '../../src/cpython/interpreter/target.js';
import type {MeasuredCommand} from '../../src/cpython/interpreter/measure.js';
import {scrubbedEnvironment} from '../../src/exec/environment.js';
import {figureOf} from '../../src/inspect/statistics.js';
import {quoteForShell} from '../../src/model/shell-words.js';
import {run} from '../../support/rig.js';
import {filesIn, openConditions} from '../conditions.js';
import {FOLDER, valueOf} from '../context.js';
import {contestInRoot} from '../in-root.js';
import {suiteOptions, say} from '../options.js';
import {keepPeers, type Peer} from '../peers.js';
import {graft, overlay, relink, presentSubjects} from '../subjects.js';

const PYTHON = '/usr/bin/python3.11';
const NEWEST = 'graft-3.15';
/** Programs of the package index, all in Python, and what a zip archive of them calls. */
const ENTRIES: Readonly<Record<string, string>> = {
  pylint: 'pylint:run_pylint',
  sphinx: 'sphinx.cmd.build:main',
  'yt-dlp': 'yt_dlp:main',
};
const {signal} = new AbortController();

interface Way extends MeasuredCommand {
  readonly by: string;
  /** What was made. */
  readonly made?: string;
  /** Seconds. */
  readonly making?: number;
}

export async function suite(words: readonly string[]): Promise<void> {
  const options = suiteOptions(words);
  for (const program of Object.keys(ENTRIES).filter((name) => options.on?.includes(name) ?? true)) {
    const home = join(FOLDER, 'peers', program);
    const site = join(home, 'site');
    await install(program, site);
    const start = ['-c', startOf(program, site)];
    const common = {program, rounds: options.rounds, place: home};
    await keepPeers(
      await measureWays({...common, ways: await waysOf(program, home, start), runner: PYTHON, isHere: true}),
    );
    if ((await presentSubjects([NEWEST])).length === 0) continue;
    await keepPeers(await measureWays({...common, ...(await lazyWays(home, start)), isHere: false}));
  }
}

/** The program, from a folder that is not on the path of all others. */
function startOf(program: string, site: string): string {
  return [
    'import sys',
    `sys.path.insert(0, ${JSON.stringify(site)})`,
    'sys.argv[1:] = ["--version"]',
    'import runpy',
    `runpy.run_module(${JSON.stringify(moduleOf(program))}, run_name="__main__", alter_sys=True)`,
  ].join('; ');
}

const moduleOf = (program: string): string => program.replaceAll('-', '_');

async function install(program: string, site: string): Promise<void> {
  if (existsSync(site)) return;
  const fresh = `${site}.new`;
  rmSync(fresh, {recursive: true, force: true});
  mkdirSync(fresh, {recursive: true});
  await succeed('python3', ['-m', 'pip', 'install', '--quiet', '--no-compile', '--target', fresh, program]);
  renameSync(fresh, site);
}

async function succeed(file: string, words: readonly string[]): Promise<void> {
  const {exitCode, stderr} = await run(file, words);
  if (exitCode !== 0) throw new Error(`${file} ${quoteForShell(words)}: ${stderr}`);
}

async function timed<T>(what: () => Promise<T>): Promise<{readonly value: T; readonly making: number}> {
  const begun = performance.now();
  const value = await what();
  return {value, making: (performance.now() - begun) / 1000};
}

async function waysOf(program: string, home: string, start: readonly string[]): Promise<Way[]> {
  const selection = ['--trace', quoteForShell(start)];
  const folderOf = (host: string): string => {
    const folder = join(home, host);
    mkdirSync(folder, {recursive: true});
    return folder;
  };
  const environment = scrubbedEnvironment();
  const linked = await timed(() =>
    relink({python: PYTHON, folder: folderOf('relink'), pie: false}, selection),
  );
  const grafted = await timed(() => graft({python: PYTHON, folder: folderOf('graft')}, selection));
  const overlaid = await timed(() => overlay({python: PYTHON, folder: folderOf('overlay')}, selection));
  const archive = join(home, `${program}.pyz`);
  const pack = ['-m', 'zipapp', join(home, 'site'), '-o', archive, '-m', ENTRIES[program] ?? ''];
  const zipped = await timed(() => succeed(PYTHON, pack));
  const of = (by: string, {value: {stage2}, making}: typeof linked, made: string): Way => ({
    ...{by, words: [stage2.python, ...start], environment: stage2.environment, made, making},
  });
  return [
    {by: 'installed', words: [PYTHON, ...start], environment},
    of('relink', linked, join(folderOf('relink'), 'python')),
    of('graft', grafted, folderOf('graft')),
    of('overlay', overlaid, join(folderOf('overlay'), 'overlay')),
    {by: 'zipapp', words: [PYTHON, archive, '--version'], environment, made: archive, making: zipped.making},
  ];
}

/** Of 3.15: as it is, with a graft, and with lazy imports everywhere. */
async function lazyWays(home: string, start: readonly string[]): Promise<{ways: Way[]; runner: string}> {
  const folder = join(home, NEWEST);
  mkdirSync(folder, {recursive: true});
  const selection = ['--trace', quoteForShell(start)];
  const subject = {subject: NEWEST, which: NEWEST.replace('graft-', '')};
  const {value, making} = await timed(() => contestInRoot('graft', subject, folder, selection));
  const [first, second = first] = value.sides;
  const [installed, grafted] = [first.program, second.program];
  const {environment} = installed;
  return {
    ways: [
      {by: 'installed', words: [installed.python, ...start], environment},
      {by: 'graft', words: [grafted.python, ...start], environment, made: folder, making},
      {by: '-X lazy_imports=all', words: [installed.python, '-X', 'lazy_imports=all', ...start], environment},
    ],
    runner: value.place.python,
  };
}

interface WaysRequest {
  readonly program: string;
  readonly ways: readonly Way[];
  /** The Python that starts them. */
  readonly runner: string;
  readonly rounds: number;
  /** A directory for bytecode. */
  readonly place: string;
  /** Whether files lie where their paths say: those of another root cannot be dropped from the page cache. */
  readonly isHere: boolean;
}

async function measureWays({
  program,
  ways,
  runner,
  rounds,
  place,
  isHere,
}: WaysRequest): Promise<readonly Peer[]> {
  const [first, ...others] = ways;
  if (first === undefined) return [];
  const {version} = valueOf(await describeTarget({python: runner, environment: first.environment, signal}));
  const files = ways.flatMap(({made}) => (made === undefined ? [] : filesIn(made)));
  const under = await openConditions({
    ...{commands: [first, ...others], runner, place: join(place, 'starts'), files},
  });
  const warm = (await under('warm', rounds)) ?? [];
  const compiling = (await under('no-bytecode', Math.ceil(rounds / 4))) ?? [];
  const cold = isHere ? ((await under('cold', Math.ceil(rounds / 4))) ?? []) : [];
  return ways.map(({by, made, making}, i) => {
    const one: Peer = {
      ...{program, python: version.text, by, making},
      warm: figureOf(warm[i]?.milliseconds ?? [])?.median,
      noBytecode: figureOf(compiling[i]?.milliseconds ?? [])?.median,
      cold: figureOf(cold[i]?.milliseconds ?? [])?.median,
      memory: (figureOf(warm[i]?.peaks ?? [])?.median ?? 0) / 1024,
      size:
        made === undefined
          ? undefined
          : filesIn(made).reduce((sum, file) => sum + statSync(file).size, 0) / 2 ** 20,
    };
    say(`${program}, ${version.text}, ${by}: ${JSON.stringify(one)}`);
    return one;
  });
}
