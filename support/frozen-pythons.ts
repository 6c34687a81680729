/** Frozen interpreters, for tests and benchmarks: made by the command line, of whatever Pythons this machine has. */
import {join} from 'node:path';
import {NEWER_SERIES, newerDebianRoot, runInRoot} from './debian-root.js';
import {findPythons} from './pythons.js';
import {CACHE, PACKAGE, type RunOptions, flashfreezeJson} from './rig.js';

/** The releases that are built from source. */
export const SOURCE_VERSIONS = ['3.13.15', '3.11.2'] as const;

/** A name such as `source-3.13.15`, `relink-pie-3.11`, in its two parts. */
export interface SubjectName<Kind extends string> {
  readonly kind: Kind;
  /** A version or a series. */
  readonly which: string;
}

/** Throws for a name of another form, or of none of the kinds. */
export function parseSubjectName<Kind extends string>(
  name: string,
  kinds: readonly Kind[],
  known: readonly string[],
): SubjectName<Kind> {
  const [, kind, which = ''] = /^([a-z-]+)-(3\.\d+(?:\.\d+)?)$/.exec(name) ?? [];
  const found = kinds.find((each) => each === kind);
  if (found === undefined) throw new Error(`unknown interpreter ${name}: choose from ${known.join(', ')}`);
  return {kind: found, which};
}

/** Whether the Python of an overlay or a graft is in the root of a newer Debian. */
export function isInRoot({kind, which}: SubjectName<string>): boolean {
  return ['overlay', 'graft'].includes(kind) && NEWER_SERIES.some((series) => series === which);
}

/** The names without those that need the root of a newer Debian, if it cannot be built (standard error says why). */
export async function withoutMissing(names: readonly string[]): Promise<readonly string[]> {
  const needsRoot = (name: string): boolean =>
    NEWER_SERIES.some((series) => [`overlay-${series}`, `graft-${series}`].includes(name));
  if (!names.some(needsRoot) || (await newerDebianRoot()) !== undefined) return names;
  return names.filter((name) => !needsRoot(name));
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

/** A Python in the root of a newer Debian. */
export interface RootPython {
  readonly root: string;
  /** Its path in there. */
  readonly python: string;
}

/**
 * Makes what a command makes (`overlay`, or `relink` with its options) of a Python in that root. Throws when there is no root, or
 * when that fails.
 */
export async function makeInRoot(
  command: readonly string[],
  series: string,
  {out, buildDir}: {readonly out: string; readonly buildDir: string},
  selection: readonly string[],
): Promise<RootPython> {
  const root = await newerDebianRoot();
  if (root === undefined) throw new Error('there is no root of a newer Debian');
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
  return {root, python};
}
