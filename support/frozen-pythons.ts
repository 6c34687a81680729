/** Frozen interpreters, for tests and benchmarks: made by the command line, of whatever Pythons this machine has. */
import {join} from 'node:path';
import {NEWER_SERIES, type RootName, debianRoot, runInRoot} from './debian-root.js';
import {findPythons} from './pythons.js';
import {CACHE, PACKAGE, type RunOptions, flashfreezeJson} from './rig.js';

/** The releases that are built from source. */
export const SOURCE_VERSIONS = ['3.13.15', '3.11.2'] as const;

/** A Python in the root of another Debian. */
interface PlaceInRoot {
  readonly root: RootName;
  readonly series: string;
}

/** Those that are overlaid and grafted, by what their subjects call them. */
const IN_ROOTS: Readonly<Record<string, PlaceInRoot | undefined>> = {
  ...Object.fromEntries(NEWER_SERIES.map((series) => [series, {root: 'forky-root', series} as const])),
  'trixie-3.13': {root: 'trixie-root', series: '3.13'},
};

/** A name such as `source-3.13.15`, `relink-pie-3.11`, `graft-trixie-3.13`, in its two parts. */
export interface SubjectName<Kind extends string> {
  readonly kind: Kind;
  /** A version or a series, that of another Debian with its suite. */
  readonly which: string;
}

/** Throws for a name of another form, or of none of the kinds. */
export function parseSubjectName<Kind extends string>(
  name: string,
  kinds: readonly Kind[],
  known: readonly string[],
): SubjectName<Kind> {
  const [, kind, which = ''] = /^([a-z-]+?)-((?:trixie-)?3\.\d+(?:\.\d+)?)$/.exec(name) ?? [];
  const found = kinds.find((each) => each === kind);
  if (found === undefined) throw new Error(`unknown interpreter ${name}: choose from ${known.join(', ')}`);
  return {kind: found, which};
}

/** Whether the Python of an overlay or a graft is in the root of another Debian. */
export function isInRoot({kind, which}: SubjectName<string>): boolean {
  return ['overlay', 'graft'].includes(kind) && IN_ROOTS[which] !== undefined;
}

/** The names without those that need a root of another Debian that cannot be built (standard error says why). */
export async function withoutMissing(names: readonly string[]): Promise<readonly string[]> {
  const present: string[] = [];
  for (const name of names) {
    const needed = IN_ROOTS[/^(?:overlay|graft)-(.*)$/.exec(name)?.[1] ?? '']?.root;
    if (needed === undefined || (await debianRoot(needed)) !== undefined) present.push(name);
  }
  return present;
}

/** The executable of a series on this machine. Throws when there is none. */
export function pythonOf(series: string): string {
  const found = findPythons().find((each) => each.series === series);
  if (found === undefined) throw new Error(`there is no Python ${series} on this machine`);
  return found.python;
}

/** Runs a command that makes an interpreter; gives the path of what it made. Throws when it fails. */
export async function makeFrozen(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const {summary, stderr} = await flashfreezeJson([...args, '--jobs', '2'], options);
  if (!summary.ok || summary.output === null)
    throw new Error(`flashfreeze ${args.join(' ')}\n${stderr.slice(-4000)}`);
  return summary.output;
}

/** A Python in the root of another Debian. */
export interface RootPython {
  readonly root: string;
  /** Its path in there. */
  readonly python: string;
  readonly series: string;
}

/**
 * Makes what a command makes (`overlay`, or `relink` with its options) of a Python in its root. Throws when there is no root, or
 * when that fails.
 * @param which as in the names of subjects
 */
export async function makeInRoot(
  command: readonly string[],
  which: string,
  {out, buildDir}: {readonly out: string; readonly buildDir: string},
  selection: readonly string[],
): Promise<RootPython> {
  const place = IN_ROOTS[which];
  const root = place && (await debianRoot(place.root));
  if (place === undefined || root === undefined) throw new Error(`there is no root with the Python ${which}`);
  const {series} = place;
  const python = `/usr/bin/python${series}`;
  const made = await runInRoot(
    root,
    [
      ...['node', join(PACKAGE, 'bin/flashfreeze.mjs'), ...command, '--python', python, '--out', out],
      ...['--build-dir', buildDir, '--cache-dir', join(CACHE, 'store'), '--jobs', '2', ...selection],
    ],
    {binds: {[PACKAGE]: 'read', [CACHE]: 'write'}},
  );
  if (!made.ok) throw new Error(made.failure.message);
  if (made.value.exitCode !== 0) throw new Error(made.value.stderr);
  return {root, python, series};
}
