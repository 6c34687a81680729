import {execFileSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {scrubbedEnvironment} from '../src/exec/environment.js';
import type {Interpreter} from '../src/cpython/interpreter/run-script.js';

export interface FoundPython extends Interpreter {
  /** Such as `3.13`. */
  readonly series: string;
}

/**
 * The Pythons that tests are to use: all that this machine has, or, by FLASHFREEZE_TEST_PYTHONS, the `newest` one or the
 * `others`, among which the system's own may be the only one, or none.
 */
export function findPythons(): readonly FoundPython[] {
  const all = everyPython();
  const wanted = process.env['FLASHFREEZE_TEST_PYTHONS'];
  if (wanted === undefined) return all;
  return wanted === 'newest' ? all.slice(-1) : all.slice(0, -1);
}

/** The real Pythons of this machine, one of each series from 3.10 on: `python3` on PATH, and what pyenv installed. */
export function everyPython(): readonly FoundPython[] {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const candidates = [
    ...(existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, 'bin/python3')) : []),
    'python3',
  ];
  const found = new Map<string, FoundPython>();
  for (const candidate of candidates) {
    const answer = ask(candidate);
    if (!answer || answer.minor < 10) continue;
    const series = `3.${answer.minor}`;
    if (found.has(series)) continue;
    const {signal} = new AbortController();
    found.set(series, {python: answer.executable, environment: scrubbedEnvironment(), signal, series});
  }
  if (found.size === 0)
    throw new Error('these tests need a Python 3.10 or newer as python3 on PATH or from pyenv');
  return [...found.values()].sort((a, b) => Number(a.series.slice(2)) - Number(b.series.slice(2)));
}

/**
 * The system's own Python, unless it is one of `everyPython`, which were built in other ways, or FLASHFREEZE_TEST_PYTHONS asks
 * for the newest of those alone.
 */
export function systemPython(): FoundPython | undefined {
  if (process.env['FLASHFREEZE_TEST_PYTHONS'] === 'newest') return undefined;
  const answer = ask('/usr/bin/python3');
  if (!answer || answer.minor < 10 || everyPython().some(({python}) => python === answer.executable)) {
    return undefined;
  }
  const {signal} = new AbortController();
  return {
    python: answer.executable,
    environment: scrubbedEnvironment(),
    signal,
    series: `3.${answer.minor}`,
  };
}

function ask(file: string): {executable: string; minor: number} | undefined {
  const code = 'import sys; print(sys.version_info[1], sys.executable)';
  try {
    const answer = execFileSync(file, ['-S', '-c', code], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [minor = '', executable = ''] = answer.trim().split(/ (.*)/s);
    return {executable, minor: Number(minor)};
  } catch {
    return undefined;
  }
}
