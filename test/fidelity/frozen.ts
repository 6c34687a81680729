/**
 * Frozen interpreters beside the unmodified ones that they have to be like: all of the standard library is frozen, and
 * the modules in `packages/`, which do whatever a module can do to an import.
 */
import {cpSync, existsSync, mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {CACHE, type Run, flashfreezeJson, run} from '../e2e/rig.js';
import {type FoundPython, findPythons} from '../support/pythons.js';

export interface Pair {
  readonly name: string;
  /** The unmodified interpreter. */
  readonly unmodified: string;
  readonly frozen: string;
  /** Where the modules of `packages/` lie, with their byte code. */
  readonly packages: string;
}

/** The Pythons of this machine, or those series that FLASHFREEZE_SERIES asks for. */
export function chosenPythons(): readonly FoundPython[] {
  const asked = (process.env['FLASHFREEZE_SERIES'] ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return findPythons().filter(({series}) => asked.length === 0 || asked.includes(series));
}

/** Builds the frozen interpreter. Throws when that fails. */
export async function preparePair({python, series}: FoundPython): Promise<Pair> {
  const folder = join(CACHE, 'fidelity', series);
  const packages = copyPackages(folder);
  const compiled = await run(python, ['-m', 'compileall', '-q', packages]);
  if (compiled.exitCode !== 0) throw new Error(compiled.stdout);
  const frozen = join(folder, 'bin', `python${series}`);
  mkdirSync(join(folder, 'bin'), {recursive: true});
  const made = await flashfreezeJson([
    ...[
      'relink',
      '--python',
      python,
      '--out',
      frozen,
      '--build-dir',
      join(CACHE, 'builds', `fidelity-${series}`),
    ],
    ...['--startup', '--stdlib', '--trace', join(packages, 'everything.py')],
  ]);
  if (!made.summary.ok) throw new Error(made.stderr);
  return {name: series, unmodified: python, frozen, packages};
}

/** Byte code is wanted beside the modules, and the checkout is no place for that. */
function copyPackages(folder: string): string {
  const from = join(import.meta.dirname, 'packages');
  const to = join(folder, 'packages');
  if (existsSync(to)) rmSync(to, {recursive: true});
  cpSync(from, to, {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !path.includes('__pycache__'),
  });
  return to;
}

/** Runs an interpreter of a pair, without a variable of the user's. */
export function runOf(
  {packages}: Pair,
  file: string,
  args: readonly string[],
  options: {readonly environment?: Readonly<Record<string, string>>; readonly input?: string} = {},
): Promise<Run> {
  const own = Object.keys(process.env).filter((each) => /^(PYTHON|FLASHFREEZE)/.test(each));
  return run(file, args, {
    cwd: '/',
    environment: {
      ...Object.fromEntries(own.map((each) => [each, undefined])),
      LANG: 'C.UTF-8',
      LC_ALL: undefined,
      BROWSER: '/bin/true', // antigravity
      DISPLAY: undefined,
      PYTHONDONTWRITEBYTECODE: '1',
      FIDELITY_PACKAGES: packages,
      ...options.environment,
    },
    ...(options.input === undefined ? {} : {input: options.input}),
  });
}

/** What `_flashfreeze.modules()` says: all that can be imported by name. */
export async function frozenModules(pair: Pair): Promise<readonly string[]> {
  const code = 'import _flashfreeze; print(*[module.name for module in _flashfreeze.modules()])';
  const {stdout} = await runOf(pair, pair.frozen, ['-c', code]);
  return stdout.split(/\s+/).filter((name) => name !== '' && name !== 'getpath');
}
