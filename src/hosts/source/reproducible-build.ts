import {mkdir, symlink} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {clearFile} from '../../fs/removal.js';
import {realpath} from '../../fs/recorded-fs.js';
import {attempt} from '../../fs/files.js';
import type {BuildRun} from '../../cpython/build/build-tools.js';
import {NOT_LOOKED_FOR, reproducibleArguments} from '../../cpython/build/reproducible-flags.js';
import {profileUseArguments} from '../../cpython/build/profile-counts.js';
import type {SourceTree} from '../../cpython/source/source-tree.js';
import {listLibrary} from '../../cpython/source/stage1-inputs.js';
import type {Artifact} from '../../model/action.js';
import {ok, type Result} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import type {SourcePlaces} from '../../pipeline/build-places.js';

/** A build whose result is to be the same in any directory (for releases). The link to the source tree (`sourceLink`) is there. */
export interface Reproducible {
  /** What was counted in an earlier, instrumented build, by which this one is optimised. */
  readonly profile?: StoredProfile;
}

export interface StoredProfile {
  readonly path: string;
  /** Puts it into the directory that CPython is compiled in. */
  readonly unpackInto: (buildDir: string) => Promise<Result<void>>;
}

/**
 * What else decides the result of a reproducible build, besides the key of stage 1: the library, whose modules CPython freezes
 * and runs while it is built, and the profile.
 */
export async function reproducibleInputs(
  tree: SourceTree,
  {profile}: Reproducible,
  {engine}: Site,
): Promise<Result<readonly Artifact[]>> {
  const library = await listLibrary(tree);
  if (!library.ok) return library;
  return engine.sources([
    ...library.value.map((name) => ({name, path: join(tree.path, name)})),
    ...(profile === undefined ? [] : [{name: 'profile', path: profile.path}]),
  ]);
}

/** Gives the source tree a name beside CPython's build directory that is the same everywhere. Fails with IO. */
export function linkSource(tree: SourceTree, {root, sourceLink}: SourcePlaces): Promise<Result<void>> {
  return attempt('write', sourceLink, async () => {
    await mkdir(root, {recursive: true});
    await clearFile(sourceLink);
    await symlink(tree.path, sourceLink);
  });
}

/** See `reproducibleArguments`. @param family of the compiler */
export async function makeArgumentsOf(
  tree: SourceTree,
  {cpython, sourceLink}: SourcePlaces,
  family: string,
): Promise<readonly string[]> {
  const source = await realpath(tree.path);
  return reproducibleArguments({source, name: relative(cpython, sourceLink), buildDir: cpython, family});
}

/** The same with placeholders for the paths, for keys. */
export function reproducibleKey({profile}: Reproducible, family: string): readonly string[] {
  const named = reproducibleArguments({source: '$SOURCE', name: '$NAME', buildDir: '$BUILD', family});
  const told = [...Object.entries(NOT_LOOKED_FOR).map(([name, value]) => `${name}=${value}`), ...named];
  return profile === undefined ? told : ['profile', ...told];
}

/** Unpacks the profile, if there is one; returns the arguments of make that compile with it. */
export async function useProfile(
  {profile}: Reproducible,
  run: Pick<BuildRun, 'buildDir' | 'environment' | 'signal'>,
): Promise<Result<readonly string[]>> {
  if (profile === undefined) return ok([]);
  const unpacked = await profile.unpackInto(run.buildDir);
  return unpacked.ok ? profileUseArguments(run) : unpacked;
}
