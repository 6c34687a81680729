import {existsSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {type PythonCommand, pythonWords} from '../../cpython/interpreter/python-command.js';
import {SNAPSHOT_SERIES} from '../../hosts/snapshot/snapshot-series.js';
import {quoteForShell} from '../../model/shell-words.js';
import type {FoundProgram} from './find-program.js';
import type {FreezeMethod} from './freeze-program.js';

/** Commands, as words. */
export interface PermanentCommands {
  /** Freezes the program for good. */
  readonly permanent: readonly string[];
  /** Starts it then. */
  readonly start: readonly string[];
}

/**
 * How to have for good what was tried. In a virtual environment the executable has to lie beside the others.
 * @param version of the Python, such as `3.13.15`
 */
export function commandsFor(
  {python, command}: FoundProgram,
  method: FreezeMethod,
  version: string,
): PermanentCommands {
  const words = pythonWords(command);
  const name = nameOf(command);
  const traced = ['--python', python, '--trace', quoteForShell(words)];
  if (method === 'overlay') {
    const out = `${name}-overlay`;
    return {
      permanent: ['flashfreeze', 'overlay', ...traced, '--out', out],
      start: [`./${out}/bin/python${/^\d+\.\d+/.exec(version)?.[0] ?? ''}`, ...words],
    };
  }
  const isVirtual = existsSync(join(dirname(dirname(python)), 'pyvenv.cfg'));
  const out = isVirtual ? join(dirname(python), `${name}-frozen`) : `./${name}-frozen`;
  return {permanent: ['flashfreeze', 'relink', ...traced, '--out', out], start: [out, ...words]};
}

/** How to try a snapshot of the program, or what that needs. */
export function snapshotAdvice(version: string, method: FreezeMethod): string {
  const isSupported = SNAPSHOT_SERIES.some((each) => version.startsWith(`${each}.`));
  if (isSupported && method === 'link') return 'nobody asked for one; --snapshot tries it';
  const series = SNAPSHOT_SERIES.join(' or ');
  const other = isSupported ? '' : `, instead of ${version}`;
  return `it needs CPython ${series}, relinked or built from source${other}; --source DIR tries one`;
}

/** A name for what is made of a program. */
export function nameOf({program}: PythonCommand): string {
  if (program.kind === 'module') return program.name;
  return program.kind === 'script' ? basename(program.path).replace(/\.py$/, '') : 'python';
}
