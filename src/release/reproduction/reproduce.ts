import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {hashFile, replaceFile} from '../../fs/files.js';
import {openSourceTree} from '../../cpython/source/source-tree.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {scrubbedEnvironment} from '../../exec/environment.js';
import {type Difference, compareEntries} from './compare.js';
import {diffoscopeView} from './diffoscope.js';
import {type Manifest, manifestOf, type ReadManifest, readManifest} from '../manifest.js';
import {release} from '../make-release.js';
import {unpack} from '../archive/unpack.js';
import {VARIATIONS, releaseWithVariation} from './variations.js';

export interface Comparison {
  readonly python: string;
  /** sha256 of the archive that was compared with. */
  readonly sha256: string;
  readonly files: number;
  readonly differences: readonly Difference[];
  /** What differs between the two systems without changing any file of the release. */
  readonly harmless: readonly Difference[];
  /** The output of diffoscope for the first differing files, if it is installed. */
  readonly views: readonly string[];
}

/** The number of files to compare with diffoscope. */
const SHOWN = 3;

/**
 * Builds a release again as its manifest says and compares the two. Inputs that differ are differences, too. The profile
 * that it was optimised by is beside the manifest, unless `profile` says where. Fails with USAGE for the manifest
 * of another CPython than the source, with VERIFY when the profile is another one, and as `release` does.
 */
export async function reproduce(
  {path: manifestPath, manifest: wanted}: ReadManifest,
  places: {readonly source: string; readonly buildDir: string; readonly profile?: string | undefined},
  context: HostContext,
): Promise<Result<Comparison>> {
  const {recipe, name, python} = wanted;
  const tree = await openSourceTree(places.source);
  if (!tree.ok) return tree;
  if (tree.value.version.text !== python) {
    return fail('USAGE', `${places.source} is CPython ${tree.value.version.text}, and ${name} is ${python}`, {
      hint: `pass the source tree of CPython ${python}`,
    });
  }
  const profile = await takeProfile(manifestPath, wanted, places);
  if (!profile.ok) return profile;
  const out = join(places.buildDir, 'release');
  const built = await release(
    {
      options: {
        ...places,
        out,
        configureArguments: recipe.configureArguments,
        makeArguments: recipe.makeArguments,
        pie: recipe.pie,
        builtinExtensions: recipe.builtinExtensions,
        debugInfo: true,
        cc: recipe.cc ?? undefined,
      },
      selection: recipe.selection,
      profile: profile.value,
      snapshotAt: recipe.snapshotAt ?? undefined,
    },
    context,
  );
  if (!built.ok) return built;
  const {output} = built.value;
  if (output === null) return fail('ACTION', 'no release was built');
  return compareReleases(manifestPath, manifestOf(output), context);
}

/**
 * Copies the profile of a release into the build directory, and gives the copy, whose digest is compared with that in the manifest: the file beside the
 * manifest may be replaced before it is used. Fails with IO, and with VERIFY when it is another one.
 */
export async function takeProfile(
  manifestPath: string,
  {recipe: {profile}}: {readonly recipe: Pick<Manifest['recipe'], 'profile'>},
  {profile: given, buildDir}: {readonly buildDir: string; readonly profile?: string | undefined},
): Promise<Result<string | undefined>> {
  if (profile === null) return ok(given);
  const path = given ?? join(dirname(manifestPath), profile.name);
  const copy = join(buildDir, 'profile.tar.xz');
  const copied = await replaceFile(path, copy);
  const found = copied.ok ? await hashFile(copy) : copied;
  if (!found.ok) return err({...found.failure, hint: `pass the profile with the sha256 ${profile.sha256}`});
  if (found.value.digest === profile.sha256) return ok(copy);
  return fail('VERIFY', `${path} is not the profile of the release`, {
    hint: `its sha256 is ${found.value.digest}, not ${profile.sha256}`,
  });
}

/**
 * Builds a release twice, under different conditions, and compares. `folder` gets both. Fails as `release` does.
 */
export async function releaseTwice(
  request: {readonly source: string; readonly arguments: readonly string[]},
  folder: string,
  context: HostContext,
): Promise<Result<Comparison>> {
  const manifests: string[] = [];
  for (const variation of VARIATIONS) {
    const place = join(folder, variation.folder);
    const built = await releaseWithVariation(
      variation,
      {...request, place, out: join(place, 'out')},
      context,
    );
    if (!built.ok) return built;
    manifests.push(manifestOf(built.value));
  }
  const [first = '', second = ''] = manifests;
  return compareReleases(first, second, context);
}

/** Compares two releases: what they were made from, then every file of them. Fails with USAGE and IO. */
export async function compareReleases(
  first: string,
  second: string,
  {userEnvironment, signal}: Pick<HostContext, 'userEnvironment' | 'signal'>,
): Promise<Result<Comparison>> {
  const [a, b] = [await readManifest(first), await readManifest(second)];
  if (!a.ok) return a;
  if (!b.ok) return b;
  const [one, other] = [a.value.manifest, b.value.manifest];
  const {python, archive, files} = one;
  const comparison = {python, sha256: archive.sha256, files: files.length, harmless: [], views: []};
  const causes = compareManifests(one, other);
  if (archive.sha256 === other.archive.sha256) {
    const [harmless, differences] = [true, false].map((which) =>
      causes.filter(({path}) => OUTSIDE.test(path) === which),
    );
    return ok({...comparison, differences: differences ?? [], harmless: harmless ?? []});
  }
  const isThere = existsSync(join(dirname(first), archive.name));
  if (!isThere) return ok({...comparison, differences: [...causes, ...compareRecords(one, other)]});
  const left = await unpack(join(dirname(first), archive.name));
  const right = await unpack(join(dirname(second), other.archive.name));
  if (!left.ok) return left;
  if (!right.ok) return right;
  const differences = compareEntries(left.value, right.value);
  const views: string[] = [];
  for (const {path} of differences.slice(0, SHOWN)) {
    const [from, to] = [left.value, right.value].map((all) => all.find((entry) => entry.path === path));
    const run = {environment: scrubbedEnvironment({}, userEnvironment), signal};
    const view = from && to && (await diffoscopeView(from, to, run));
    if (view !== undefined) views.push(view);
  }
  return ok({...comparison, differences: [...causes, ...differences], views});
}

/** Tools, and files outside of the source tree, as `compareManifests` names them. */
const OUTSIDE = /^(tool |input \/)/;

/** The differences between what two releases were made from: tools, flags, inputs. */
function compareManifests(a: Manifest, b: Manifest): readonly Difference[] {
  const parts = (manifest: Manifest): ReadonlyMap<string, string> =>
    new Map([
      ['archive', manifest.archive.sha256],
      ['recipe', JSON.stringify(manifest.recipe)],
      ['frozen modules', manifest.frozen.join(' ')],
      ['snapshot', JSON.stringify(manifest.snapshot)],
      ['generator', manifest.flashfreeze.generator],
      ...manifest.tools.map(({name, version, sha256}): [string, string] => [
        `tool ${name}`,
        `${version} ${sha256 ?? ''}`.trim(),
      ]),
      ...Object.entries(manifest.flags).map(([name, value]): [string, string] => [`flag ${name}`, value]),
      ...manifest.inputs.map(({name, sha256}): [string, string] => [`input ${name}`, sha256]),
    ]);
  return compareMaps(parts(a), parts(b));
}

/** The comparison for a release without its archive: which files differ. */
function compareRecords(a: Manifest, b: Manifest): readonly Difference[] {
  const records = ({files}: Manifest): ReadonlyMap<string, string> =>
    new Map(files.map(({path, ...rest}) => [path, JSON.stringify(rest)]));
  return compareMaps(records(a), records(b));
}

function compareMaps(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): readonly Difference[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((path) => {
    const [from, to] = [a.get(path), b.get(path)];
    return from === to ? [] : [{path, what: `${from ?? 'nothing'} became ${to ?? 'nothing'}`}];
  });
}
