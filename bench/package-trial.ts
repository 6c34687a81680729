/** A package with a home directory of its own, and a snapshot of what a program imports of it. */
import {existsSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type ProcessOutput, runProcess} from '../src/exec/process.js';
import {readSnapshot} from '../src/hosts/snapshot/snapshot-contents.js';
import {CACHE, PACKAGE, run, type Run} from '../support/rig.js';
import {FOLDER, valueOf} from './context.js';
import type {Package} from './packages.js';

export const PYTHON = '/usr/bin/python3.11';
const MINUTE = 60_000;
const {signal} = new AbortController();

/** A package in a home directory of its own. */
export class Trial {
  readonly home: string;
  readonly out: string;
  /** Where the interpreter looks for packages of a user with that home directory. */
  readonly packages: string;
  readonly environment: Readonly<Record<string, string>>;

  constructor(name: string, more: Readonly<Record<string, string>> = {}) {
    this.home = join(FOLDER, 'packages', name);
    this.out = join(this.home, 'python');
    this.packages = join(this.home, '.local', 'lib', 'python3.11', 'site-packages');
    this.environment = {
      HOME: this.home,
      PATH: process.env['PATH'] ?? '',
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      ...more,
    };
    mkdirSync(this.home, {recursive: true});
  }

  /** With the user's own settings of pip. */
  async installInto(python: string, words: readonly string[]): Promise<Run> {
    return run(python, ['-m', 'pip', 'install', '--quiet', ...words]);
  }

  async run(file: string, args: readonly string[], timeoutMs = MINUTE): Promise<ProcessOutput> {
    const {environment, home: cwd} = this;
    return valueOf(
      await runProcess({file, args: [...args], cwd, environment, signal, timeoutMs, maxOutputBytes: 1 << 24}),
    );
  }
}

export const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** The version that pip has installed in the home directory; or the system has it. */
export async function install(
  trial: Trial,
  {name, needs = []}: Pick<Package, 'name' | 'needs'>,
  isOwn = false,
): Promise<string> {
  const folder = trial.packages;
  const ask = `import importlib.metadata as m; print(m.version(${JSON.stringify(name)}))`;
  let found = await trial.run(PYTHON, ['-c', ask]);
  if (found.exitCode !== 0 || (isOwn && !existsSync(folder))) {
    rmSync(folder, {recursive: true, force: true});
    const words = ['--only-binary', ':all:', '--target', folder, name, ...needs];
    const done = await trial.installInto(PYTHON, words);
    if (done.exitCode !== 0) throw new Error(`pip does not have it: ${lastLine(done.stderr)}`);
    found = await trial.run(PYTHON, ['-c', ask]);
  }
  return found.stdout.trim();
}

/** Makes a snapshot of what the program imports. What is left out; nothing if it is whole. */
export async function build(trial: Trial, code: string): Promise<string> {
  const script = join(trial.home, 'program.py');
  writeFileSync(script, `${code}\n`);
  return buildSnapshot(trial, {python: PYTHON, out: trial.out, more: ['--trace', script]});
}

export async function buildSnapshot(
  trial: Trial,
  {python, out, more}: {readonly python: string; readonly out: string; readonly more: readonly string[]},
): Promise<string> {
  const buildDir = join(FOLDER, 'packages', python === PYTHON ? 'build' : 'build-environment');
  const words = ['snapshot', '--python', python, '--out', out, '--build-dir', buildDir, ...more];
  const done = await trial.run(
    process.execPath,
    [join(PACKAGE, 'bin', 'flashfreeze.mjs'), ...words, '--json', '--cache-dir', join(CACHE, 'store')],
    10 * MINUTE,
  );
  if (done.exitCode !== 0) {
    const line = done.stderr.split('\n').find((each) => each.includes('error['));
    throw new Error(line ?? lastLine(done.stderr));
  }
  // Of the snapshot itself: a build that had nothing to do says nothing.
  const {snapshot} = valueOf(await readSnapshot(out));
  if (snapshot === undefined || snapshot.leftOut.length === 0) return '';
  const {leftOut, importers} = snapshot;
  const reasons = leftOut.map(
    ({module, reason, where}) => `${module}${where === undefined ? '' : ` (${where})`}: ${reason}`,
  );
  const named = [...new Set(reasons)]
    .slice(0, 3)
    .join('; ')
    .replaceAll(trial.home, '~')
    .replaceAll(/\/tmp\/\w+/g, '/tmp/…')
    .slice(0, 300);
  return `${leftOut.length + importers.length} modules: ${named}`;
}
