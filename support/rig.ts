/**
 * Drives the real command line on a real CPython. Downloads and built stage-1 interpreters stay in a cache folder outside
 * of the checkout, so that only the first run on a machine compiles CPython.
 */
import {spawn} from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {homedir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {defaultCacheDir} from '../src/cache/default-cache-dir.js';
import {obtainSource} from '../src/cpython/source/obtain-source.js';
import {scrubbedEnvironment} from '../src/exec/environment.js';
import {defaultBuildsDir} from '../src/pipeline/default-build-dir.js';

export const PACKAGE = resolve(import.meta.dirname, '..');
/** Where downloads and builds are kept between test runs. */
export const CACHE =
  process.env['FLASHFREEZE_TEST_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'flashfreeze-test');

/** Where `npm start` builds. */
export const DEMONSTRATION = join(
  defaultBuildsDir(defaultCacheDir({...process.env, FLASHFREEZE_CACHE_DIR: undefined}, '/')),
  'python-3.13.15',
);

export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface JsonEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface SummaryEvent extends JsonEvent {
  readonly ok: boolean;
  readonly python: string | null;
  readonly modules: number;
  readonly output: string | null;
  readonly stage1: string | null;
  readonly sha256: string | null;
  readonly actions: Readonly<Record<'executed' | 'cached' | 'remote' | 'fresh' | 'failed', number>>;
  readonly executed: readonly string[];
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Gets the process and what it has printed so far, at each piece of output. */
  readonly onOutput?: (
    child: {kill: (signal: NodeJS.Signals) => void; pid: number},
    stdout: string,
    stderr: string,
  ) => void;
}

/** Runs a program to its end. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return new Promise((done, failed) => {
    const environment = {...process.env, ...options.environment};
    const child = spawn(file, args, {
      cwd: options.cwd ?? '/',
      env: Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined)),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    const handle = {kill: (signal: NodeJS.Signals) => child.kill(signal), pid: child.pid ?? 0};
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      options.onOutput?.(handle, stdout, stderr);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      options.onOutput?.(handle, stdout, stderr);
    });
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    child.on('error', failed);
    child.on('close', (exitCode) => {
      done({exitCode, stdout, stderr});
    });
  });
}

/** Runs the command line of this package. */
export function flashfreeze(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(process.execPath, [join(PACKAGE, 'bin', 'flashfreeze.mjs'), ...args], {
    ...options,
    environment: {FLASHFREEZE_CACHE_DIR: join(CACHE, 'store'), ...options.environment},
  });
}

/** `npm start`, with what users have: their cache, and the build directory in it. */
export async function npmStart(): Promise<JsonRun> {
  const own = Object.keys(process.env).filter((name) => /^(PYTHON|FLASHFREEZE)/.test(name));
  return withEvents(
    await run(process.execPath, [join(PACKAGE, 'scripts', 'start.mjs'), '--json'], {
      cwd: PACKAGE,
      environment: Object.fromEntries(own.map((name) => [name, undefined])),
    }),
  );
}

export type JsonRun = Run & {readonly events: readonly JsonEvent[]; readonly summary: SummaryEvent};

/** The same with `--json`: what it printed, line by line, and the summary, which is the last line. */
export async function flashfreezeJson(args: readonly string[], options: RunOptions = {}): Promise<JsonRun> {
  return withEvents(await flashfreeze([...args, '--json'], options));
}

function withEvents(done: Run): JsonRun {
  const events = done.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonEvent);
  return {...done, events, summary: events.at(-1) as SummaryEvent};
}

/** What code prints that runs well, without anything that a user's own folder may add. */
export async function printed(
  python: string,
  code: string,
  {
    folder,
    path = folder,
    options = [],
  }: {
    readonly folder: string;
    readonly path?: string;
    readonly options?: readonly string[];
  },
): Promise<string> {
  const done = await run(python, ['-s', '-B', '-W', 'ignore', ...options, '-c', code], {
    cwd: folder,
    environment: {PYTHONPATH: path},
  });
  if (done.exitCode !== 0 || done.stderr !== '')
    throw new Error(`exit code ${done.exitCode}: ${done.stderr}`);
  return done.stdout.trim();
}

/** Files of the standard library that tests edit. */
export const EDITABLE = [
  'Lib/json/decoder.py',
  'Lib/json/scanner.py',
  'Lib/os.py',
  'Lib/colorsys.py',
  'Lib/textwrap.py',
] as const;
export type Editable = (typeof EDITABLE)[number];

export interface Tree {
  /** A source tree that tests may edit through `edit`. */
  readonly source: string;
  readonly buildDir: string;
  /** Replaces a file's text. */
  readonly edit: (file: Editable, change: (text: string) => string) => void;
  /** Undoes all edits, of a killed test run too. */
  readonly restore: () => void;
}

/**
 * The source of a CPython release, in a copy of our own, and a build folder that is kept between runs.
 * @param copy the folder of that copy below the cache, for tests that need one for themselves
 */
export async function prepareTree(version: string, copy = 'trees'): Promise<Tree> {
  const obtained = await obtainSource({
    version,
    cacheDir: CACHE,
    environment: scrubbedEnvironment(),
    signal: new AbortController().signal,
    log: () => undefined,
  });
  if (!obtained.ok) throw new Error(`${obtained.failure.message}\n${obtained.failure.details ?? ''}`);
  const pristine = obtained.value.path;
  const source = join(CACHE, copy, `Python-${obtained.value.version}`);
  if (!existsSync(source)) {
    mkdirSync(dirname(source), {recursive: true});
    rmSync(`${source}.new`, {recursive: true, force: true});
    copyTree(pristine, `${source}.new`);
    renameSync(`${source}.new`, source);
  }
  const restore = (): void => {
    for (const file of EDITABLE) {
      const [from, to] = [join(pristine, file), join(source, file)];
      if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to))) copyFileSync(from, to);
    }
  };
  restore();
  return {
    source,
    buildDir: join(CACHE, 'builds', obtained.value.version),
    edit: (file, change) => {
      writeFileSync(join(source, file), change(readFileSync(join(source, file), 'utf8')));
    },
    restore,
  };
}

/** Copies a source tree, without byte code. */
export function copyTree(from: string, to: string): void {
  const filter = (path: string): boolean => !path.endsWith('__pycache__');
  cpSync(from, to, {recursive: true, preserveTimestamps: true, verbatimSymlinks: true, filter});
}

/** For configure: a CPython that is compiled in half the time, for tests of how it is put together. */
export const QUICKLY = 'OPT=-DNDEBUG -fwrapv -O1';

/** A CPython 3.13.15 that is configured in another way, in a build folder of its own, which is kept. */
export interface ConfiguredBuild {
  readonly tree: Tree;
  readonly buildDir: string;
  /** Builds again. */
  readonly build: () => ReturnType<typeof flashfreezeJson>;
}

/** Builds one, with the start and a few modules frozen, at `out`. Throws when that fails. */
export async function buildConfigured(
  name: string,
  configure: readonly string[],
  out: string,
): Promise<ConfiguredBuild> {
  const tree = await prepareTree('3.13.15');
  const buildDir = `${tree.buildDir}-${name}`;
  const build: ConfiguredBuild['build'] = () =>
    flashfreezeJson([
      ...['build', '--source', tree.source, '--build-dir', buildDir, '--out', out],
      ...configure.map((argument) => `--configure-arg=${argument}`),
      ...['--startup', '--trace', '-c "import json, argparse"'],
    ]);
  const {summary, stderr} = await build();
  if (!summary.ok || summary.output !== out) throw new Error(stderr);
  return {tree, buildDir, build};
}
