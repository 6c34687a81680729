/**
 * Builds that are killed at random moments. After each one run has to give the same bytes as a clean build of the same sources, in a
 * directory where no run was killed.
 */
import {spawn} from 'node:child_process';
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {PACKAGE, type RunOptions} from '../../support/rig.js';
import {chanceFrom} from '../support/random.js';
import {buildSite, commandOf, digestOfBuild, edit, type Site} from './site.js';

export interface KillReport {
  readonly runs: number;
  /** How many were killed; the others were done before their moment came. */
  readonly killed: number;
  /** What each run that ended with other bytes had been doing. */
  readonly wrong: readonly string[];
}

/** What a run that is killed has to do. */
const SITUATIONS = ['edited', 'edited', 'edited', 'images gone', 'images and cache gone'] as const;
/** How many states of the sources there are. */
const STATES = 3;

/** @param runs how many runs are started and killed @param seed of chance */
export async function killRuns(
  site: Site,
  {runs, seed, say}: {readonly runs: number; readonly seed: number; readonly say: (text: string) => void},
): Promise<KillReport> {
  const chance = chanceFrom(seed);
  const images = join(site.buildDir, 'images');
  const enter = (state: number): void => {
    site.modules.forEach((module, i) => {
      // Between two states some modules differ, and some do not.
      edit(site, module, `state ${i % STATES <= state ? state : 0}`);
    });
  };
  const clean: string[] = [];
  for (let state = 0; state < STATES; state += 1) {
    enter(state);
    // What the states share comes out of a cache that only these builds have written.
    if (state === 0) rmSync(site.cacheDir, {recursive: true, force: true});
    rmSync(images, {recursive: true, force: true});
    await buildSite(site);
    clean.push(digestOfBuild(site));
  }
  if (new Set(clean).size !== STATES) throw new Error('the states of the sources give the same bytes');
  say(`${STATES} clean builds`);

  /** How long a run takes, by what it has to do: the moments of the kills lie in there. */
  const lasts: Record<string, number> = {};
  const wrong: string[] = [];
  let killed = 0;
  for (let i = 0; i < runs; i += 1) {
    // Without images and cache it takes long in a large library: there it is rare.
    const rare = site.host === 'build' && chance.below(10) !== 0;
    const drawn = chance.of(SITUATIONS);
    const situation = rare && drawn === 'images and cache gone' ? 'images gone' : drawn;
    const state = chance.below(STATES);
    enter(state);
    if (situation !== 'edited') rmSync(images, {recursive: true, force: true});
    if (situation === 'images and cache gone') rmSync(site.cacheDir, {recursive: true, force: true});
    const moment = chance.fraction() * (lasts[situation] ?? 1000);
    const wasKilled = await runKilled(commandOf(site), moment);
    if (wasKilled) killed += 1;
    const {ms} = await buildSite(site);
    lasts[situation] = Math.max(lasts[situation] ?? 0, ms + (wasKilled ? moment : 0));
    if (digestOfBuild(site) !== clean[state]) {
      wrong.push(`run ${i}: state ${state}, ${situation}, killed after ${Math.round(moment)} ms`);
      say(`  other bytes: ${wrong.at(-1) ?? ''}`);
    }
    if ((i + 1) % 20 === 0) say(`${i + 1} runs, ${killed} killed, ${wrong.length} wrong`);
  }
  return {runs, killed, wrong};
}

/** Runs the command line in a process group of its own and kills that; false when it was done before. */
export function runKilled(
  words: readonly string[],
  afterMs: number,
  {cwd = '/', environment = {}}: Pick<RunOptions, 'cwd' | 'environment'> = {},
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(PACKAGE, 'bin/flashfreeze.mjs'), ...words], {
      cwd,
      env: {...process.env, ...environment},
      detached: true,
      stdio: 'ignore',
    });
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, afterMs);
    child.once('error', reject);
    child.once('exit', (_, signal) => {
      clearTimeout(timer);
      resolve(signal === 'SIGKILL');
    });
  });
}
