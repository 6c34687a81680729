/** Builds where the cache has no room, may not be written, or time went backwards: a sentence, and the right bytes. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type JsonEvent, PACKAGE, type SummaryEvent} from '../../support/rig.js';
import {buildSite, commandOf, digestOfBuild, edit, pathOf, type Site} from './site.js';

export interface Trouble {
  readonly what: string;
  /** What was said about it. */
  readonly warnings: readonly string[];
  readonly isRight: boolean;
}

/** @param folder for mounts and helper programs @param tmpfsSize of the cache that is to become full */
export async function buildInTrouble(site: Site, folder: string, tmpfsSize: string): Promise<Trouble[]> {
  const images = join(site.buildDir, 'images');
  const [module = ''] = site.modules;
  edit(site, module, 'today');
  await buildSite(site);
  const right = digestOfBuild(site);
  const anew = (): void => {
    rmSync(images, {recursive: true, force: true});
  };
  const cache = join(folder, 'cache');
  mkdirSync(cache);

  anew();
  const full = run(site, cache, `mount -t tmpfs -o size=${tmpfsSize} none ${cache}`);
  const isRightWhenFull = digestOfBuild(site) === right;
  anew();
  const readOnly = run(site, cache, `mount --bind ${cache} ${cache} && mount -o remount,ro,bind ${cache}`);
  const isRightReadOnly = digestOfBuild(site) === right;

  // A day back: what is there has times of tomorrow, what is edited now has times of before.
  const clock = makeClock(folder, -86_400);
  // A word that no earlier run put into the cache.
  edit(site, module, `yesterday ${Date.now()}`);
  const yesterday = new Date(Date.now() - 86_400_000);
  utimesSync(join(site.library, pathOf(module)), yesterday, yesterday);
  const back = run(site, site.cacheDir, `export LD_PRELOAD=${clock}`);
  const afterEdit = digestOfBuild(site);
  const again = run(site, site.cacheDir, `export LD_PRELOAD=${clock}`);
  // Without a cache, and not with --force: that would build CPython again, which tells when it was built.
  anew();
  await buildSite(site, {cacheDir: join(folder, 'empty')});
  const isRightBack = afterEdit === digestOfBuild(site) && afterEdit !== right;
  return [
    {what: `cache on a full tmpfs of ${tmpfsSize}`, warnings: full.warnings, isRight: isRightWhenFull},
    {what: 'read-only cache', warnings: readOnly.warnings, isRight: isRightReadOnly},
    {
      what: 'clock set back a day',
      warnings: [...back.warnings, ...again.warnings],
      isRight: isRightBack && back.executed.includes(`compile:${module}`) && again.executed.length === 0,
    },
  ];
}

/** A build in a mount namespace of its own, after a shell command; throws when it fails. */
function run(
  site: Site,
  cacheDir: string,
  before: string,
): {readonly warnings: readonly string[]; readonly executed: readonly string[]} {
  const program = [
    process.execPath,
    join(PACKAGE, 'bin/flashfreeze.mjs'),
    ...commandOf(site, cacheDir),
    '--json',
  ];
  const done = spawnSync('unshare', ['-m', 'sh', '-c', `${before} && exec "$@"`, 'sh', ...program], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (done.status !== 0) throw new Error(`${before}: ${done.stderr.slice(-4000)}`);
  const events = done.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonEvent);
  return {
    warnings: events.filter(({type}) => type === 'warning').map(({message}) => String(message)),
    executed: (events.at(-1) as SummaryEvent).executed,
  };
}

/** A library that shifts the clock of the programs that it is loaded into (clock_gettime(2), gettimeofday(2), time(2)). */
function makeClock(folder: string, seconds: number): string {
  const [source, library] = [join(folder, 'clock.c'), join(folder, 'clock.so')];
  writeFileSync(
    source,
    `#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ${seconds};
  return result;
}
int gettimeofday(struct timeval *now, void *zone) {
  struct timespec precise;
  int result = clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return result;
}
time_t time(time_t *at) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (at) *at = precise.tv_sec;
  return precise.tv_sec;
}
`,
  );
  const done = spawnSync('cc', ['-shared', '-fPIC', '-w', '-o', library, source, '-ldl'], {encoding: 'utf8'});
  if (done.status !== 0) throw new Error(done.stderr);
  return library;
}
