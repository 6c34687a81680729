import {copyFile, cp, mkdir, readdir, writeFile} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {clearPath} from '../fs/removal.js';
import {attempt, replaceFile} from '../fs/files.js';
import {buildEnvironment} from '../cpython/build/build-tools.js';
import {configureTree, makeTree} from '../cpython/build/configure-and-make.js';
import {configureArguments} from '../cpython/build/configure-arguments.js';
import {COUNTS, RECORDING_TARGET} from '../cpython/build/profile-counts.js';
import type {SourceTree} from '../cpython/source/source-tree.js';
import {acquireLock} from '../engine/lock.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import type {HostContext, SourceBuildOptions} from '../pipeline/build-options.js';
import type {StoredProfile} from '../hosts/source/reproducible-build.js';
import {type SourcePlaces, sourcePlacesOf} from '../pipeline/build-places.js';
import {fail, ok, type Result} from '../model/result.js';
import {writeArchive} from './archive/archive.js';
import {EPOCH} from './installed-tree.js';
import {unpack} from './archive/unpack.js';

/** The argument of CPython's configure for a build with a profile. */
export const OPTIMISED = '--enable-optimizations';
const TOP = 'profile';

/**
 * Compiles CPython with counters in a directory of its own, runs the training that its Makefile knows (PROFILE_TASK), and packs
 * what was counted into `file`. What is counted differs from run to run: a profile is an input of a release, not a
 * product. `options` are those of the release. Fails as a build from source does, and with STAGE1 when nothing was counted.
 */
export async function recordProfile(
  file: string,
  tree: SourceTree,
  options: SourceBuildOptions,
  context: HostContext,
): Promise<Result<void>> {
  const places = sourcePlacesOf(join(options.buildDir, 'recording'));
  const lock = await acquireLock(places.root, {trustOthers: context.trustCache});
  if (!lock.ok) return lock;
  try {
    context.events.emit({type: 'notice', message: `recording a profile in ${places.root}`});
    const built = await buildAndTrain(tree, options, places, context);
    if (!built.ok) return built;
    const packed = await packCounts(places, file, context);
    if (!packed.ok) return packed;
    return await attempt('remove', places.cpython, async () => {
      for (const path of [places.cpython, places.sourceLink]) await clearPath(path);
    });
  } finally {
    await lock.value.release();
  }
}

async function buildAndTrain(
  tree: SourceTree,
  options: SourceBuildOptions,
  places: SourcePlaces,
  {signal, jobs, userEnvironment}: HostContext,
): Promise<Result<void>> {
  const environment = buildEnvironment(scrubbedEnvironment({}, userEnvironment));
  const run = {buildDir: places.cpython, environment, signal};
  const user = [...(options.cc === undefined ? [] : [`CC=${options.cc}`]), ...options.configureArguments];
  // CPython's tests start interpreters that ignore the environment and write bytecode, which must not end up in the user's tree.
  const copied = await attempt('copy', places.sourceLink, async () => {
    await clearPath(places.sourceLink);
    await cp(tree.path, places.sourceLink, {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    });
  });
  if (!copied.ok) return copied;
  const configured = await configureTree({
    ...run,
    // Counts are kept by the names of functions and of their files: they have to be those of the release.
    source: relative(places.cpython, places.sourceLink),
    arguments: configureArguments(user, environment, options.pie),
  });
  if (!configured.ok) return configured;
  // Without PWD: the interpreter would leave counts wherever it runs.
  const flags = [...options.makeArguments, RECORDING_TARGET];
  return jobs.shared((jobserver) => makeTree({...run, jobs: jobserver ?? jobs.width, flags}));
}

/**
 * Extension modules that setup.py compiled (up to 3.11, below `build`) are left out: their names hold the directory of the
 * source tree, and so does what their counts are found by.
 */
async function packCounts(
  {root, cpython}: SourcePlaces,
  file: string,
  {signal, userEnvironment}: HostContext,
): Promise<Result<void>> {
  const counts = join(root, TOP);
  const collected = await attempt('write', counts, async () => {
    await clearPath(counts);
    const names = (await readdir(cpython, {recursive: true})).filter(
      (name) => COUNTS.test(name) && !name.startsWith('build/'),
    );
    for (const name of names) {
      await mkdir(dirname(join(counts, name)), {recursive: true});
      await copyFile(join(cpython, name), join(counts, name));
    }
    return names.length;
  });
  if (!collected.ok) return collected;
  if (collected.value === 0) {
    return fail('STAGE1', `the training run produced no counts in ${cpython}`, {
      hint: 'only profiles of GCC are supported',
    });
  }
  const environment = scrubbedEnvironment({}, userEnvironment);
  const archive = join(root, `${TOP}.tar`);
  const packed = await writeArchive(counts, TOP, archive, EPOCH, {environment, signal});
  return packed.ok ? replaceFile(`${archive}.xz`, file) : packed;
}

/** A profile that `recordProfile` has left. */
export function storedProfile(path: string): StoredProfile {
  return {
    path,
    async unpackInto(buildDir) {
      const entries = await unpack(path);
      if (!entries.ok) return entries;
      for (const entry of entries.value) {
        const name = relative(TOP, entry.path);
        if (!COUNTS.test(name) || name.startsWith('..') || 'link' in entry.content) {
          return fail('USAGE', `${path} is not a profile: it contains ${entry.path}`);
        }
        const {content} = entry;
        const place = join(buildDir, name);
        const written = await attempt('write', place, async () => {
          await mkdir(dirname(place), {recursive: true});
          await writeFile(place, content);
        });
        if (!written.ok) return written;
      }
      return ok();
    },
  };
}
