import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {type ProcessOutput, runProcess} from '../../exec/process.js';
import {PROGRAM} from '../../fs/package-files.js';
import {parseJson} from '../../fs/read-json.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {FAILURE_EXIT_CODES, type Failure, type FailureCode} from '../../model/failure.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {clockWrappers, type ConditionsRun, mountDisordered, namespaceCommand} from './conditions.js';

/** Conditions that the result of a build must not depend on. */
export interface Variation {
  /** The name of its directory: other letters, another length. */
  readonly folder: string;
  readonly umask: string;
  readonly environment: Readonly<Record<string, string>>;
  /** How many jobs less than asked for, as long as one is left. */
  readonly fewerJobs: number;
  /** How many seconds its clock is ahead. */
  readonly ahead: number;
  /** Another host name and another user, and directories that list their files in another order. */
  readonly inNamespaces: boolean;
}

export const VARIATIONS: readonly [Variation, Variation] = [
  {
    folder: 'a',
    umask: '022',
    environment: {TZ: 'UTC', LC_ALL: 'C', LANG: 'C', PYTHONHASHSEED: '1'},
    fewerJobs: 0,
    ahead: 0,
    inNamespaces: false,
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
    // Another year, month, day and hour.
    ahead: (400 * 24 + 7) * 3600 + 1234,
    inNamespaces: true,
  },
];

export interface VariedRelease {
  readonly source: string;
  /** Of `flashfreeze release`, which reads no configuration file; relative paths start where this process works. */
  readonly arguments: readonly string[];
  /** A directory for everything that the build leaves. */
  readonly place: string;
  readonly out: string;
  /** By default it has a cache of its own, so that it uses no results of another build. */
  readonly cacheDir?: string;
}

/**
 * Runs `flashfreeze release` under a variation, as a process of its own: a umask belongs to a process. Reports which
 * conditions, as not every machine can have all. Returns the archive's path. Fails as that does.
 */
export async function releaseWithVariation(
  variation: Variation,
  request: VariedRelease,
  context: HostContext,
): Promise<Result<string>> {
  const {umask, fewerJobs, ahead} = variation;
  const {place, out, cacheDir = join(place, 'cache')} = request;
  const home = join(place, 'home');
  await mkdir(home, {recursive: true});
  const nothing = join(place, 'config.json');
  await writeFile(nothing, '{}');
  const environment = environmentOf(variation, home, context);
  const run: ConditionsRun = {environment, signal: context.signal};
  const clock = ahead === 0 ? undefined : await clockWrappers(join(place, 'clock'), ahead, run);
  const mounted = variation.inNamespaces
    ? await mountDisordered(request.source, join(place, 'shuffled-source'), run)
    : undefined;
  const before = variation.inNamespaces ? await namespaceCommand(run) : undefined;
  const jobs = Math.max(1, context.jobs.width - fewerJobs);
  const told = [
    `umask ${umask}, ${jobs === 1 ? 'one job' : `${jobs} jobs`}`,
    ...['TZ', 'LC_ALL'].map((name) => `${name}=${environment[name] ?? ''}`),
    ...(before === undefined ? [] : ['another user and host name']),
    ...(clock === undefined ? [] : [`the clock ${Math.round(ahead / 86_400)} days ahead`]),
    ...(mounted === undefined ? [] : ['source files listed in another order']),
  ];
  context.events.emit({type: 'notice', message: `building in ${place}: ${told.join(', ')}`});
  try {
    const done = await runProcess({
      file: 'sh',
      args: [
        ...['-c', `umask ${umask}; exec "$@"`, 'sh', ...(before ?? [])],
        ...[process.execPath, PROGRAM, 'release', '--config', nothing],
        ...['--source', mounted?.path ?? request.source],
        ...['--build-dir', join(place, 'build'), '--out', out, '--cache-dir', cacheDir],
        ...['--jobs', String(jobs), '--json', ...request.arguments],
      ],
      cwd: context.cwd,
      environment:
        clock === undefined ? environment : {...environment, PATH: `${clock}:${environment['PATH'] ?? ''}`},
      signal: context.signal,
    });
    return done.ok ? outcomeOf(done.value) : done;
  } finally {
    await mounted?.unmount();
  }
}

const failureSchema: z.ZodType<Failure> = z.object({
  code: z.custom<FailureCode>((code) => typeof code === 'string' && Object.hasOwn(FAILURE_EXIT_CODES, code)),
  message: z.string(),
  hint: z.string().exactOptional(),
  details: z.string().exactOptional(),
});

/** The events that say how a run ended (src/model/events.ts). */
const endSchema = z.discriminatedUnion('type', [
  z.object({type: z.literal('error'), failure: failureSchema}),
  z.object({type: z.literal('summary'), output: z.string().nullable()}),
]);

/** The result of the build, or why it failed, from its `--json` output. */
export function outcomeOf({stdout, stderr, exitCode}: ProcessOutput): Result<string> {
  for (const line of stdout.split('\n')) {
    const event = parseJson(line, endSchema);
    if (event?.type === 'error') return err(event.failure);
    if (event?.type === 'summary' && exitCode === 0 && event.output !== null) return ok(event.output);
  }
  return fail('PROCESS', `flashfreeze release ended with exit code ${exitCode}`, {
    details: stderr.slice(-4000),
  });
}

function environmentOf({environment}: Variation, home: string, context: HostContext): Record<string, string> {
  const own = Object.entries(context.userEnvironment).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return {...Object.fromEntries(own), ...environment, HOME: home};
}
