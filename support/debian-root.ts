/**
 * Debian's other suites, for tests, each in a root folder of its own (debian-root.sh, debian-root-run.sh): a newer one with
 * Python 3.14 and 3.15, their headers, compiler and test suites, Debian 13 with the same of 3.13, also for aarch64, two with Bazel, and one with
 * programs. This machine's node runs there, too.
 */
import {existsSync, realpathSync} from 'node:fs';
import {join} from 'node:path';
import {runProcess, type ProcessOutput} from '../src/exec/process.js';
import type {Result} from '../src/model/result.js';

/** The Pythons that the newer Debian has, as series: `/usr/bin/python3.14` and so on. */
export const NEWER_SERIES = ['3.14', '3.15'] as const;

/** Building a root takes a minute or two, under an emulator half an hour; wait so long for it at most. */
export const DEBIAN_ROOT_TIMEOUT_MS = 60 * 60_000;

/** The script that runs a command in a root, for those that cannot call `runInRoot`. */
export const RUN_SCRIPT = join(import.meta.dirname, 'debian-root-run.sh');

/** What debian-root.sh has recipes for. */
export type RootName =
  | 'forky-root'
  | `bazel-root-${'forky' | 'bookworm'}`
  | 'buildbox-root'
  | `release-root-${'bookworm' | 'trixie'}`
  | `trixie-root${'' | '-arm64'}`
  | 'programs-root-bookworm';

/**
 * A root's folder, built when it is not there yet (unless `build` is false). Where that is not possible (not root, no debootstrap, no network, no
 * Debian) it says why on standard error and gives undefined.
 */
export async function debianRoot(
  name: RootName,
  {build = true}: {readonly build?: boolean} = {},
): Promise<string | undefined> {
  const run = await runProcess({
    file: join(import.meta.dirname, 'debian-root.sh'),
    args: [name, ...(build ? [] : ['--kept'])],
    cwd: '/',
    environment: ownEnvironment(),
    signal: new AbortController().signal,
    timeoutMs: DEBIAN_ROOT_TIMEOUT_MS,
  });
  if (run.ok && run.value.exitCode === 0) return run.value.stdout.trim();
  process.stderr.write(run.ok ? run.value.stderr : `no ${name}: ${run.failure.message}\n`);
  return undefined;
}

/** The newer Debian with the newer Pythons. */
export const newerDebianRoot = (): Promise<string | undefined> => debianRoot('forky-root');

export interface RootOptions {
  /** Files and folders of this machine to be seen in the root, at the path that they have here. */
  readonly binds?: Readonly<Record<string, 'read' | 'write'>>;
  /** Variables besides a few of the root's own: nothing else is inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether this machine's node is there, where the root has none of its own; true if not given. */
  readonly node?: boolean;
  /** The folder to run in; `/tmp`, which is empty, if not given. */
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Gets what the command prints, as it comes, in whole lines. */
  readonly onOutput?: (text: string) => void;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs a command in the root, which stays as it is: it is read-only there but for `/tmp`, which is gone afterwards.
 * `node` is this machine's, unless the root has its own. Everything that the command leaves running ends with it. Fails as `runProcess` does; exit
 * code 125 and a word on standard error mean that the command could not be run.
 */
export function runInRoot(
  root: string,
  argv: readonly string[],
  options: RootOptions = {},
): Promise<Result<ProcessOutput>> {
  const binds = Object.entries(options.binds ?? {});
  const variables = Object.entries(options.environment ?? {});
  return runProcess({
    file: RUN_SCRIPT,
    args: [
      root,
      ...(hasOwnNode(root) || options.node === false ? [] : ['--node', realpathSync(process.execPath)]),
      ...binds.flatMap(([path, access]) => [`--${access}`, path]),
      ...variables.flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...(options.cwd === undefined ? [] : ['--cd', options.cwd]),
      '--',
      ...argv,
    ],
    cwd: '/',
    environment: ownEnvironment(),
    signal: options.signal ?? new AbortController().signal,
    ...(options.input === undefined ? {} : {input: options.input}),
    ...(options.onOutput === undefined ? {} : {onOutput: options.onOutput}),
    ...(options.timeoutMs === undefined ? {} : {timeoutMs: options.timeoutMs}),
  });
}

/** A root of another architecture cannot run this machine's. */
const hasOwnNode = (root: string): boolean => existsSync(join(root, 'usr/bin/node'));

/** The scripts need to find tools, the cache folder and, perhaps, a proxy. */
function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
