/**
 * Frozen interpreters beside the unmodified ones that they have to be like: all of the standard library is frozen, and
 * the modules in `packages/`, which do whatever a module can do to an import.
 */
import {cpSync, existsSync, mkdirSync, rmSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {CACHE, PACKAGE, type Run, flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';
import {NEWER_SERIES, runInRoot} from '../../support/debian-root.js';
import {makeInRoot} from '../../support/frozen-pythons.js';
import {type FoundPython, findPythons, systemPython} from '../../support/pythons.js';

export interface Pair {
  readonly name: string;
  readonly host: FrozenHost;
  /** The unmodified interpreter. */
  readonly unmodified: string;
  readonly frozen: string;
  /** Where the modules of `packages/` lie, with their bytecode. */
  readonly packages: string;
  /** Runs a program where the interpreters are. */
  readonly run: (
    argv: readonly string[],
    options: {readonly environment: Readonly<Record<string, string | undefined>>; readonly input?: string},
  ) => Promise<Run>;
}

const HOSTS = ['relink', 'graft', 'overlay'] as const;

export type FrozenHost = (typeof HOSTS)[number];

/** What can be judged here. */
export interface Candidate {
  /** Such as `relink-3.13`, `graft-3.12` or `overlay-system-3.11`. */
  readonly name: string;
  readonly host: FrozenHost;
  readonly series: string;
  readonly python: string;
  /** The Python of another Debian, by what `makeInRoot` calls it. */
  readonly inRoot?: string;
}

/**
 * Those that FLASHFREEZE_FIDELITY names (`all`: every Python of this machine). By default one of each kind: each takes three
 * minutes. Only by name: the Pythons of other Debians, such as `graft-3.15` and `graft-trixie-3.13`.
 */
export function candidates(): readonly Candidate[] {
  const system = systemPython();
  const all = [
    ...findPythons().flatMap((each) => candidatesOf(each, '', ['relink', 'graft'])),
    ...(system === undefined ? [] : candidatesOf(system, 'system-', HOSTS)),
  ];
  const asked = (process.env['FLASHFREEZE_FIDELITY'] ?? '').split(/[\s,]+/).filter((word) => word !== '');
  if (asked.length > 0) {
    return [
      ...all.filter(({name}) => asked.includes(name) || asked.includes('all')),
      ...ofOtherDebians().filter(({name}) => asked.includes(name)),
    ];
  }
  return [
    ...all.filter(({name}) => /^relink-\d/.test(name)).slice(-1),
    ...all.filter(({host}) => host === 'overlay'),
  ];
}

function candidatesOf(
  {series, python}: Pick<FoundPython, 'series' | 'python'>,
  owner: string,
  hosts: readonly FrozenHost[],
): readonly Candidate[] {
  return hosts.map((host) => ({name: `${host}-${owner}${series}`, host, series, python}));
}

function ofOtherDebians(): readonly Candidate[] {
  return [...NEWER_SERIES, 'trixie-3.13'].flatMap((which) => {
    const series = which.replace(/^.*-/, '');
    const python = `/usr/bin/python${series}`;
    return candidatesOf({series, python}, which.slice(0, -series.length), ['graft', 'overlay']).map(
      (candidate) => ({...candidate, inRoot: which}),
    );
  });
}

/** Builds the frozen interpreter. Throws when that fails. */
export async function preparePair(candidate: Candidate): Promise<Pair> {
  const {name, host, series, python, inRoot} = candidate;
  const folder = join(CACHE, 'fidelity', name);
  const packages = copyPackages(folder);
  if (inRoot !== undefined) return pairInRoot(candidate, inRoot, folder, packages);
  const compiled = await run(python, ['-m', 'compileall', '-q', packages]);
  if (compiled.exitCode !== 0) throw new Error(compiled.stdout);
  const frozen = join(folder, host, 'bin', `python${series}`);
  mkdirSync(dirname(frozen), {recursive: true});
  const out = host === 'overlay' ? join(folder, host) : frozen;
  const command = host === 'overlay' ? [host] : ['relink', '--method', host === 'graft' ? host : 'link'];
  const made = await flashfreezeJson([
    ...[
      ...command,
      '--python',
      python,
      '--out',
      out,
      '--build-dir',
      join(CACHE, 'builds', `fidelity-${name}`),
    ],
    ...['--startup', '--stdlib', '--trace', join(packages, 'everything.py')],
  ]);
  if (!made.summary.ok) throw new Error(made.stderr);
  return {
    ...{name, host, unmodified: python, frozen, packages},
    run: ([program = '', ...args], options) => run(program, args, {cwd: '/', ...options}),
  };
}

async function pairInRoot(
  {name, host, series, python}: Candidate,
  which: string,
  folder: string,
  packages: string,
): Promise<Pair> {
  const frozen = join(folder, host, 'bin', `python${series}`);
  mkdirSync(dirname(frozen), {recursive: true});
  const {root} = await makeInRoot(
    host === 'overlay' ? ['overlay'] : ['relink', '--method', host],
    which,
    {
      out: host === 'overlay' ? join(folder, host) : frozen,
      buildDir: join(CACHE, 'builds', `fidelity-${name}`),
    },
    ['--startup', '--stdlib', '--trace', join(packages, 'everything.py')],
  );
  const inside: Pair['run'] = async (argv, {environment, input}) => {
    const done = await runInRoot(root, argv, {
      binds: {[PACKAGE]: 'read', [folder]: 'write'},
      environment: Object.fromEntries(
        Object.entries(environment).filter((each): each is [string, string] => each[1] !== undefined),
      ),
      ...(input === undefined ? {} : {input}),
    });
    if (!done.ok) throw new Error(done.failure.message);
    const {exitCode, stdout, stderr} = done.value;
    return {exitCode, stdout, stderr};
  };
  const compiled = await inside([python, '-m', 'compileall', '-q', packages], {environment: {}});
  if (compiled.exitCode !== 0) throw new Error(compiled.stdout);
  return {name, host, unmodified: python, frozen, packages, run: inside};
}

/** Bytecode is wanted beside the modules, and the checkout is no place for that. */
export function copyPackages(folder: string): string {
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
  {packages, run: runThere}: Pair,
  file: string,
  args: readonly string[],
  options: {readonly environment?: Readonly<Record<string, string>>; readonly input?: string} = {},
): Promise<Run> {
  return runThere([file, ...args], {
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
