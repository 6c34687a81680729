import {mkdirSync, readdirSync, rmSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {manifestOf} from '../../src/release/manifest.js';
import {openSlots} from '../../src/exec/job-slots.js';
import type {HostContext} from '../../src/pipeline/build-options.js';
import {makeDirectory} from '../../support/make-directory.js';
import {copyTree, releasedSource} from '../../support/cpython-trees.js';
import {flashfreeze, flashfreezeJson, type Run} from '../../support/rig.js';
import {gateOptions, say} from '../../support/gate-options.js';
import {hostContext} from './host-site.js';

/** Where a gate of releases builds, and what. */
export interface Site {
  /** Nobody else edits it. */
  readonly source: string;
  readonly folder: string;
  /** More arguments for each release of it. */
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  readonly context: HostContext;
}

/** Reads the words of a gate, and runs it with a source tree of its own and a directory that is gone afterwards. */
export async function withSite(
  words: readonly string[],
  known: readonly string[],
  gate: (site: Site) => Promise<boolean>,
): Promise<boolean> {
  const {values} = gateOptions(words, {values: ['source', 'folder', 'jobs', 'opt', 'configure', ...known]});
  const {opt} = values;
  const folder = resolve(values['folder'] ?? makeDirectory('release'));
  const source = join(folder, 'source');
  rmSync(source, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  copyTree(values['source'] ?? (await releasedSource('3.13.15')).path, source);
  const jobs = openSlots(Number(values['jobs'] ?? 2), 1, undefined);
  const context = hostContext(folder, {
    events: {
      emit(event) {
        if (event.type === 'notice') say(event.message);
      },
    },
    cwd: process.cwd(),
    jobs: jobs.slots,
  });
  try {
    const more = values['configure']?.split(' ') ?? [];
    const own = [...(opt === undefined ? [] : [`OPT=${opt}`]), ...more].map(
      (word) => `--configure-arg=${word}`,
    );
    const holds = await gate({source, folder, values, context, words: own});
    const left = bytecodeIn(source);
    if (left.length > 0) say(`bytecode was left in the source tree: ${left.join(' ')}`);
    return holds && left.length === 0;
  } finally {
    jobs.slots.close();
    if (values['folder'] === undefined) rmSync(folder, {recursive: true, force: true});
  }
}

function bytecodeIn(source: string): readonly string[] {
  return readdirSync(source, {recursive: true})
    .map(String)
    .filter((name) => name.endsWith('__pycache__'));
}

/** Builds a release in directories of the name, below the site's directory; returns its manifest. Throws when that fails. */
export async function release(
  {folder, words, context}: Site,
  name: string,
  source: string,
  more: readonly string[] = [],
): Promise<string> {
  const out = join(folder, name, 'out');
  const {summary, stderr} = await flashfreezeJson([
    ...['release', '--source', source, '--build-dir', join(folder, name, 'build'), '--out', out],
    ...['--cache-dir', context.cacheDir, '--jobs', String(context.jobs.width), ...words, ...more],
  ]);
  if (!summary.ok) throw new Error(stderr);
  return manifestOf(summary.output ?? '');
}

/** `flashfreeze verify MANIFEST`, in a directory of its own, which is gone afterwards. */
export async function verify(
  {folder, context}: Site,
  manifest: string,
  source: string,
  more: readonly string[] = [],
): Promise<Run> {
  const place = join(folder, 'verify');
  const done = await flashfreeze([
    ...['verify', manifest, '--source', source, '--build-dir', place, '--cache-dir', context.cacheDir],
    ...['--jobs', String(context.jobs.width), ...more],
  ]);
  rmSync(place, {recursive: true, force: true});
  return done;
}
