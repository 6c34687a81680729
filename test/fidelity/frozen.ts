/**
 * Frozen interpreters beside the unmodified ones that they have to be like: all of the standard library is frozen, and
 * the modules in `packages/`, which do whatever a module can do to an import.
 */
import {cpSync, existsSync, mkdirSync, rmSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {CACHE, type Run, flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';
import {findPythons, systemPython} from '../../support/pythons.js';

export interface Pair {
  readonly name: string;
  readonly host: 'relink' | 'overlay';
  /** The unmodified interpreter. */
  readonly unmodified: string;
  readonly frozen: string;
  /** Where the modules of `packages/` lie, with their bytecode. */
  readonly packages: string;
}

/** What can be judged here. */
export interface Candidate {
  /** Such as `relink-3.13` or `overlay-system-3.11`. */
  readonly name: string;
  readonly host: 'relink' | 'overlay';
  readonly series: string;
  readonly python: string;
}

/**
 * Those that FLASHFREEZE_FIDELITY names (`all`: every Python of this machine). By default one of each kind: each takes three
 * minutes.
 */
export function candidates(): readonly Candidate[] {
  const own = findPythons().map(({series, python}) => ({
    name: `relink-${series}`,
    host: 'relink' as const,
    series,
    python,
  }));
  const system = systemPython();
  const its =
    system === undefined
      ? []
      : (['relink', 'overlay'] as const).map((host) => {
          const {series, python} = system;
          return {name: `${host}-system-${series}`, host, series, python};
        });
  const asked = (process.env['FLASHFREEZE_FIDELITY'] ?? '').split(/[\s,]+/).filter((word) => word !== '');
  if (asked.length === 0) return [...own.slice(-1), ...its.filter(({host}) => host === 'overlay')];
  return [...own, ...its].filter(({name}) => asked.includes(name) || asked.includes('all'));
}

/** Builds the frozen interpreter. Throws when that fails. */
export async function preparePair({name, host, series, python}: Candidate): Promise<Pair> {
  const folder = join(CACHE, 'fidelity', name);
  const packages = copyPackages(folder);
  const compiled = await run(python, ['-m', 'compileall', '-q', packages]);
  if (compiled.exitCode !== 0) throw new Error(compiled.stdout);
  const frozen = join(folder, host, 'bin', `python${series}`);
  mkdirSync(dirname(frozen), {recursive: true});
  const out = host === 'relink' ? frozen : join(folder, host);
  const made = await flashfreezeJson([
    ...[host, '--python', python, '--out', out, '--build-dir', join(CACHE, 'builds', `fidelity-${name}`)],
    ...['--startup', '--stdlib', '--trace', join(packages, 'everything.py')],
  ]);
  if (!made.summary.ok) throw new Error(made.stderr);
  return {name, host, unmodified: python, frozen, packages};
}

/** Bytecode is wanted beside the modules, and the checkout is no place for that. */
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
  return run(file, args, {
    cwd: '/',
    environment: {
      ...withoutUsersVariables(),
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
