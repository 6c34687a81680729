import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {runProcess} from '../exec/process.js';
import {PROGRAM} from '../hosts/package-files.js';
import type {HostContext} from '../hosts/options.js';
import {fail, ok, type Result} from '../model/result.js';

/** Conditions of a build that its result must not depend on. */
export interface Variation {
  /** The name of its folder: other letters, another length. */
  readonly folder: string;
  readonly umask: string;
  readonly environment: Readonly<Record<string, string>>;
  /** How many jobs less than asked for, as long as one is left. */
  readonly fewerJobs: number;
  /** Another host name and another user, in namespaces of the kernel where it allows that. */
  readonly elsewhere: boolean;
  readonly describe: string;
}

export const VARIATIONS: readonly Variation[] = [
  {
    folder: 'a',
    umask: '022',
    environment: {TZ: 'UTC', LC_ALL: 'C', LANG: 'C', PYTHONHASHSEED: '1'},
    fewerJobs: 0,
    elsewhere: false,
    describe: 'umask 022, TZ=UTC, LC_ALL=C',
  },
  {
    folder: 'another-and-longer',
    umask: '077',
    environment: {
      TZ: 'Pacific/Kiritimati',
      LC_ALL: 'C.UTF-8',
      LANG: 'tr_TR',
      PYTHONHASHSEED: '4242',
      USER: 'nobody',
    },
    fewerJobs: 1,
    elsewhere: true,
    describe:
      'umask 077, TZ=Pacific/Kiritimati, LC_ALL=C.UTF-8, one job less, another HOME, user and host name',
  },
];

/** Enters namespaces with another host name and user, if the kernel lets us; then runs what follows. */
const ELSEWHERE =
  'if unshare -r -u true 2>/dev/null; then exec unshare -r -u sh -c \'hostname elsewhere; exec "$@"\' sh "$@"; fi; exec "$@"';

/**
 * Runs `flashfreeze release` under a variation, as a process of its own: a umask belongs to a process. Each has its own
 * cache, so that none takes what another one made. Fails as that does, with its words.
 */
export async function releaseUnder(
  {umask, environment, fewerJobs, elsewhere}: Variation,
  request: {
    readonly source: string;
    readonly arguments: readonly string[];
    readonly place: string;
    readonly out: string;
  },
  context: HostContext,
): Promise<Result<void>> {
  const {place, out, source} = request;
  const home = join(place, 'home');
  await mkdir(home, {recursive: true});
  const own = Object.fromEntries(
    Object.entries(context.userEnvironment).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  const run = await runProcess({
    file: 'sh',
    args: [
      '-c',
      `umask ${umask}; ${elsewhere ? ELSEWHERE : 'exec "$@"'}`,
      'sh',
      ...[process.execPath, PROGRAM, 'release', '--source', source, '--build-dir', join(place, 'build')],
      ...['--out', out, '--cache-dir', join(place, 'cache')],
      ...['--jobs', String(Math.max(1, context.jobs.width - fewerJobs)), ...request.arguments],
    ],
    cwd: place,
    environment: {...own, ...environment, HOME: home},
    signal: context.signal,
  });
  if (!run.ok) return run;
  if (run.value.exitCode === 0) return ok();
  return fail('VERIFY', `the release could not be built in ${place} (exit code ${run.value.exitCode})`, {
    details: run.value.stderr.slice(-4000),
  });
}
