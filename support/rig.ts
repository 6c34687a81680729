/** Runs programs, and the real command line of this package. */
import {spawn} from 'node:child_process';
import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import {defaultCacheDir} from '../src/cache/default-cache-dir.js';
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

/** Takes the variables away that the user set for these programs: whatever they are, a test means the same. */
export function withoutUsersVariables(names = /^(PYTHON|FLASHFREEZE)/): Readonly<Record<string, undefined>> {
  const own = Object.keys(process.env).filter((name) => names.test(name));
  return Object.fromEntries(own.map((name) => [name, undefined]));
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
  return withEvents(
    await run(process.execPath, [join(PACKAGE, 'scripts', 'start.mjs'), '--json'], {
      cwd: PACKAGE,
      environment: withoutUsersVariables(),
    }),
  );
}

export type JsonRun = Run & {readonly events: readonly JsonEvent[]; readonly summary: SummaryEvent};

/** The same with `--json`: what it printed, line by line, and the summary, which is the last line. */
export async function flashfreezeJson(args: readonly string[], options: RunOptions = {}): Promise<JsonRun> {
  return withEvents(await flashfreeze([...args, '--json'], options));
}

function withEvents(done: Run): JsonRun {
  // It refused to start, or was killed: what it printed for people says why.
  if (done.stdout.trim() === '') throw new Error(`exit code ${done.exitCode}: ${done.stderr}`);
  const events = done.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonEvent);
  return {...done, events, summary: events.at(-1) as SummaryEvent};
}

/** What code prints that runs well, without anything that a user's own directory may add. */
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
