/** Makes the interpreters that are measured, each frozen one beside the one that differs in nothing but the images. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {NO_BYTECODE} from '../src/cpython/interpreter/run-script.js';
import {describeTarget} from '../src/cpython/interpreter/target.js';
import {scrubbedEnvironment} from '../src/exec/environment.js';
import {overlaySubject, relinkSubject, sourceSubject} from '../src/inspect/bench-subjects.js';
import {NEWER_SERIES} from '../support/debian-root.js';
import {
  type SubjectName,
  SOURCE_VERSIONS,
  isInRoot,
  makeFrozen,
  parseSubjectName,
  pythonOf,
  withoutMissing,
} from '../support/frozen-pythons.js';
import {prepareTree} from '../support/cpython-trees.js';
import {type RunOptions} from '../support/rig.js';
import {findPythons} from '../support/pythons.js';
import {type Contest, localContest} from './contest.js';
import {FOLDER, quietContext, valueOf} from './context.js';
import {contestInRoot} from './in-root.js';
import {marshalFrozen} from './marshal-frozen.js';

/**
 * What this machine can have: `source-VERSION`, `source-shared-VERSION` (stage 1 and stage 2; of the first, also stage 1 with
 * the modules as marshal bytes), `source-builtin-VERSION` (stage 1 as it is, and stage 2 with --builtin-extensions), `relink-SERIES`,
 * `relink-pie-SERIES` (the plain link of the same archive, and that with images), `overlay-SERIES` (an installed Python,
 * without and with its overlay), `graft-SERIES` (an installed Python, and its graft).
 */
export function subjectNames(): readonly string[] {
  const own = findPythons().map(({series}) => series);
  const newest = own.slice(-1);
  return [
    ...[...SOURCE_VERSIONS.map((version) => `source-${version}`), 'source-shared-3.13.15'],
    'source-builtin-3.13.15',
    ...own.map((series) => `relink-${series}`),
    ...newest.map((series) => `relink-pie-${series}`),
    ...own.map((series) => `graft-${series}`),
    ...[...newest, ...NEWER_SERIES].map((series) => `overlay-${series}`),
    ...NEWER_SERIES.map((series) => `graft-${series}`),
  ];
}

/** Those of the names that can be had here. */
export function presentSubjects(names: readonly string[] = subjectNames()): Promise<readonly string[]> {
  return withoutMissing(names);
}

const KINDS = [
  'source',
  'source-shared',
  'source-builtin',
  'relink',
  'relink-pie',
  'overlay',
  'graft',
] as const;

const parseName = (name: string): SubjectName<(typeof KINDS)[number]> =>
  parseSubjectName(name, KINDS, subjectNames());

/**
 * The options of the command line that name the unmodified Python. The build directory of a source tree is that of the tests:
 * compiling CPython takes minutes.
 */
export async function targetOptions(name: string): Promise<readonly string[]> {
  const {kind, which} = parseName(name);
  if (!kind.startsWith('source')) return ['--python', pythonOf(which)];
  const {source, buildDir} = await prepareTree(which);
  const target = (folder: string): string[] => ['--source', source, '--build-dir', folder];
  if (kind === 'source') return target(buildDir);
  if (kind === 'source-builtin') return [...target(`${buildDir}-builtin`), '--builtin-extensions'];
  return [...target(`${buildDir}-shared`), '--configure-arg', '--enable-shared'];
}

/**
 * Builds the pair of that name.
 * @param selection the options that choose the modules
 * @param use what it is for: subjects with different modules have directories of their own
 * @param run how the command line runs, of a build from source: programs that it traces see that
 * Throws when that fails, or when there is no such subject.
 */
export async function makeContest(
  name: string,
  selection: readonly string[],
  use: string,
  run: RunOptions = {},
): Promise<Contest> {
  const parsed = parseName(name);
  const {kind, which} = parsed;
  const folder = join(FOLDER, use, name);
  mkdirSync(folder, {recursive: true});
  switch (kind) {
    case 'source': {
      const target = await targetOptions(name);
      const subject = await source(target, selection, run);
      if (use !== 'startup') return localContest(name, subject);
      const [, tree = '', , buildDir = ''] = target;
      const program = await marshalFrozen(subject, tree, buildDir);
      return localContest(name, subject, [{name: 'marshal', program}]);
    }
    case 'source-shared':
      return localContest(name, await source(await targetOptions(name), selection));
    case 'source-builtin': {
      const plain = await source(await targetOptions(`source-${which}`), selection);
      const {stage2} = await source(await targetOptions(name), selection);
      return localContest(name, {...plain, stage2});
    }
    case 'relink':
    case 'relink-pie': {
      const pie = kind === 'relink-pie';
      return localContest(name, await relink({python: pythonOf(which), folder, pie}, selection));
    }
    case 'overlay':
      return isInRoot(parsed)
        ? contestInRoot(kind, {subject: name, which}, folder, selection)
        : localContest(name, await overlay({python: pythonOf(which), folder}, selection));
    case 'graft':
      return isInRoot(parsed)
        ? contestInRoot(kind, {subject: name, which}, folder, selection)
        : localContest(name, await graft({python: pythonOf(which), folder}, selection));
  }
}

type Subject = Parameters<typeof localContest>[1];

/** Stage 1 and stage 2, as a copy: the build directory is used by others. */
async function source(
  target: readonly string[],
  selection: readonly string[],
  run: RunOptions = {},
): Promise<Subject> {
  await makeFrozen(['build', ...target, ...selection], run);
  const buildDir = target[target.indexOf('--build-dir') + 1] ?? '';
  return valueOf(await sourceSubject(buildDir, quietContext()));
}

export interface Installed {
  readonly python: string;
  /** Ours, for what is made. */
  readonly folder: string;
}

export async function relink(
  {python, folder, pie}: Installed & {readonly pie: boolean},
  selection: readonly string[],
  run: RunOptions = {},
): Promise<Subject> {
  const options = {
    ...{python, out: join(folder, 'python'), buildDir: join(folder, 'build')},
    ...{pie, debugInfo: false, cc: undefined},
  };
  await makeFrozen(['relink', ...placesOf(options), ...(pie ? ['--pie'] : []), ...selection], run);
  return valueOf(await relinkSubject(options, quietContext()));
}

export async function overlay(
  {python, folder}: Installed,
  selection: readonly string[],
  run: RunOptions = {},
): Promise<Subject> {
  const options = {python, out: join(folder, 'overlay'), buildDir: join(folder, 'build'), cc: undefined};
  await makeFrozen(['overlay', ...placesOf(options), ...selection], run);
  return valueOf(await overlaySubject(options, quietContext()));
}

/** An installed Python, and a copy of its executable with images. */
export async function graft(
  {python, folder}: Installed,
  selection: readonly string[],
  run: RunOptions = {},
): Promise<Subject> {
  const options = {python, out: join(folder, 'python'), buildDir: join(folder, 'build')};
  await makeFrozen(['relink', '--method', 'graft', ...placesOf(options), ...selection], run);
  const {signal, userEnvironment} = quietContext();
  const environment = scrubbedEnvironment(NO_BYTECODE, userEnvironment);
  const target = valueOf(await describeTarget({python, environment, signal}));
  return {
    python: target.version.text,
    stage1: {python: target.executable, environment},
    stage2: {python: options.out, environment},
  };
}

function placesOf(options: {python: string; out: string; buildDir: string}): string[] {
  return ['--python', options.python, '--out', options.out, '--build-dir', options.buildDir];
}
