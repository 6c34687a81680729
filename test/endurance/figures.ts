/** What the edit loop and the caches take: each figure as it was asked for, and as it was seen. */
import {execFileSync} from 'node:child_process';
import {appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {loadavg} from 'node:os';
import {join} from 'node:path';
import {figureOf} from '../../src/inspect/statistics.js';
import {scrubbedEnvironment} from '../../src/exec/environment.js';
import {copyTreeOnce, releasedSource} from '../../support/cpython-trees.js';
import {CACHE} from '../../support/rig.js';
import {findNginx, startNginx} from '../support/nginx.js';
import {buildSite, edit, pathOf, type Site} from './site.js';
import {watchSite} from './watching.js';

export interface FigureSeen {
  readonly what: string;
  /** At most. */
  readonly asked: number;
  readonly seen: number;
  readonly unit: 's' | 'actions' | 'of make';
  /** How many processes wanted to run, on average over the last minute. */
  readonly load: number;
}

const median = (values: readonly number[]): number => figureOf(values)?.median ?? NaN;

function figure(what: string, asked: number, unit: FigureSeen['unit'], seen: number): FigureSeen {
  return {what, asked, unit, seen, load: loadavg()[0] ?? NaN};
}

/** One line of a table. */
export function textOf({what, asked, seen, unit, load}: FigureSeen): string {
  const shown = unit === 'actions' ? String(seen) : seen.toFixed(3);
  return `${seen <= asked ? 'ok  ' : 'MISS'} ${what}: ${shown} ${unit}, at most ${asked} (load ${load.toFixed(1)})`;
}

/** Runs without anything to do. */
export async function nothingToDo(site: Site, rounds: number): Promise<FigureSeen> {
  await buildSite(site);
  await buildSite(site);
  const times: number[] = [];
  for (let i = 0; i < rounds; i += 1) times.push((await buildSite(site)).ms / 1000);
  return figure('nothing to do', 0.2, 's', median(times));
}

/** Actions and time from an edit to a new interpreter. */
export async function editToInterpreter(site: Site, rounds: number): Promise<FigureSeen[]> {
  const [module = ''] = site.modules;
  edit(site, module, 'before');
  await buildSite(site);
  const times: number[] = [];
  let actions = 0;
  for (let i = 0; i < rounds; i += 1) {
    edit(site, module, `edit ${i} ${Date.now()}`);
    const {ms, summary} = await buildSite(site);
    times.push(ms / 1000);
    actions = Math.max(actions, summary.actions.executed);
  }
  const file = join(site.library, pathOf(module));
  writeFileSync(file, readFileSync(file, 'utf8').replace(/ {4}return '.*'/, `$&  # ${Date.now()}`));
  const commented = (await buildSite(site)).summary.actions.executed;
  return [
    figure('an edit: actions executed', 4, 'actions', actions),
    figure('a comment at the end of a line: actions executed', 1, 'actions', commented),
    figure('edit to new interpreter', 1, 's', median(times)),
  ];
}

/** The same edit of Lib/os.py, by us and by `make python` of CPython 3.11.2, one after the other. */
export async function editAgainstMake(site: Site, rounds: number): Promise<FigureSeen> {
  const {source, buildDir} = await makeOld();
  await buildSite(site);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i += 1) {
    const change = `\ndef _edited_${i}():\n    return ${Date.now()}\n`;
    appendFileSync(join(site.library, 'os.py'), change);
    ours.push((await buildSite(site)).ms);
    appendFileSync(join(source, 'Lib/os.py'), change);
    const began = performance.now();
    execFileSync('make', ['-j2', 'python'], {cwd: buildDir, stdio: 'ignore', env: scrubbedEnvironment()});
    theirs.push(performance.now() - began);
  }
  return figure(
    'edit of Lib/os.py against make python of 3.11.2',
    0.25,
    'of make',
    median(ours) / median(theirs),
  );
}

/** From a save to the end of the build of a running watch. */
export async function watchLatency(site: Site, rounds: number): Promise<FigureSeen> {
  const [module = ''] = site.modules;
  edit(site, module, 'before');
  const watching = await watchSite(site);
  const times: number[] = [];
  try {
    for (let i = 0; i < rounds; i += 1) {
      // The looks after the last build are over, and everything is quiet.
      await new Promise((wake) => setTimeout(wake, 2200));
      const before = watching.builds().length;
      const began = performance.now();
      edit(site, module, `watched ${i} ${Date.now()}`);
      await watching.until('a build', () => watching.builds().length > before, 2);
      times.push((performance.now() - began) / 1000);
    }
  } finally {
    await watching.stop();
  }
  const name = `watch, ${site.host}: save to working interpreter, median of ${rounds}`;
  return figure(name, site.host === 'overlay' ? 0.3 : 0.5, 's', median(times));
}

/** All images: made, from the local cache, and from nginx. */
export async function allImages(site: Site): Promise<FigureSeen[]> {
  const images = join(site.buildDir, 'images');
  const caches = ['cold', 'near'].map((name) => join(CACHE, 'endurance', `store-${name}`));
  const [cold = '', near = ''] = caches;
  const regen = async (cacheDir: string, more: readonly string[] = []): Promise<number> => {
    rmSync(images, {recursive: true, force: true});
    return (await buildSite(site, {command: 'regen', cacheDir, more})).ms / 1000;
  };
  const figures: FigureSeen[] = [];
  const forget = (folder: string): void => {
    rmSync(folder, {recursive: true, force: true});
  };
  caches.forEach(forget);
  try {
    figures.push(figure('all images cold, regen', 45, 's', await regen(cold)));
    figures.push(figure('all images from a warm local cache', 4, 's', await regen(cold)));
    const program = findNginx();
    if (program === undefined) return figures;
    const nginx = await startNginx(program);
    try {
      forget(near);
      await regen(near, ['--remote-cache', nginx.url, '--remote-upload']);
      forget(near);
      figures.push(
        figure('all images from nginx on loopback', 8, 's', await regen(near, ['--remote-cache', nginx.url])),
      );
    } finally {
      await nginx.stop();
    }
    return figures;
  } finally {
    caches.forEach(forget);
  }
}

/** CPython 3.11.2, built once in directories of our own, that `make python` may write to. */
async function makeOld(): Promise<{readonly source: string; readonly buildDir: string}> {
  const {path: pristine, version} = await releasedSource('3.11.2');
  const folder = join(CACHE, 'endurance', version);
  const [source, buildDir] = [join(folder, 'source'), join(folder, 'build')];
  copyTreeOnce(pristine, source);
  const options = {cwd: buildDir, stdio: 'ignore', env: scrubbedEnvironment()} as const;
  if (!existsSync(join(buildDir, 'Makefile'))) {
    mkdirSync(buildDir, {recursive: true});
    execFileSync('sh', [join(source, 'configure')], options);
  }
  cpSync(join(pristine, 'Lib/os.py'), join(source, 'Lib/os.py'));
  execFileSync('make', ['-j2', 'python'], options);
  return {source, buildDir};
}
