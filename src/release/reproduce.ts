import {existsSync} from 'node:fs';
import {mkdir, readdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {HostContext} from '../hosts/options.js';
import {fail, ok, type Result} from '../model/result.js';
import {type Difference, compareEntries} from './compare.js';
import {type Manifest, readManifest} from './manifest.js';
import {release} from './release.js';
import {unpack} from './unpack.js';
import {type Variation, VARIATIONS, releaseUnder} from './variations.js';

export interface Comparison {
  readonly python: string;
  /** sha256 of the archive that was compared with. */
  readonly sha256: string;
  readonly files: number;
  readonly differences: readonly Difference[];
}

/**
 * Builds a release again as its manifest says and compares the two. Inputs that differ are differences, too. Fails with
 * USAGE when the file is no manifest, and as `release` does.
 */
export async function reproduce(
  manifestPath: string,
  places: {readonly source: string; readonly buildDir: string},
  context: HostContext,
): Promise<Result<Comparison>> {
  const wanted = await readManifest(manifestPath);
  if (!wanted.ok) return wanted;
  const {recipe, name} = wanted.value;
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
        cc: recipe.cc ?? undefined,
      },
      selection: recipe.selection,
    },
    context,
  );
  return built.ok ? compareReleases(manifestPath, join(out, `${name}.manifest.json`)) : built;
}

/**
 * Builds a release two times, each under conditions of its own, and compares. `folder` gets both. Fails as `release` does.
 */
export async function releaseTwice(
  request: {readonly source: string; readonly arguments: readonly string[]},
  folder: string,
  context: HostContext,
): Promise<Result<Comparison>> {
  const manifests: string[] = [];
  for (const variation of VARIATIONS) {
    const built = await buildVariation(variation, request, folder, context);
    if (!built.ok) return built;
    manifests.push(built.value);
  }
  const [first = '', second = ''] = manifests;
  return compareReleases(first, second);
}

async function buildVariation(
  variation: Variation,
  request: {readonly source: string; readonly arguments: readonly string[]},
  folder: string,
  context: HostContext,
): Promise<Result<string>> {
  const place = join(folder, variation.folder);
  const out = join(place, 'out');
  await mkdir(place, {recursive: true});
  context.events.emit({type: 'notice', message: `building in ${place}: ${variation.describe}`});
  const done = await releaseUnder(variation, {...request, place, out}, context);
  if (!done.ok) return done;
  const name = existsSync(out)
    ? (await readdir(out)).find((file) => file.endsWith('.manifest.json'))
    : undefined;
  return name === undefined ? fail('ACTION', `no release was left in ${out}`) : ok(join(out, name));
}

/** Compares two releases: what they were made from, then every file of them. Fails with USAGE and IO. */
export async function compareReleases(first: string, second: string): Promise<Result<Comparison>> {
  const [a, b] = [await readManifest(first), await readManifest(second)];
  if (!a.ok) return a;
  if (!b.ok) return b;
  const {python, archive, files} = a.value;
  const comparison = {python, sha256: archive.sha256, files: files.length};
  if (JSON.stringify(a.value) === JSON.stringify(b.value)) return ok({...comparison, differences: []});
  const causes = compareManifests(a.value, b.value);
  const isThere = existsSync(join(dirname(first), archive.name));
  if (!isThere) return ok({...comparison, differences: [...causes, ...compareRecords(a.value, b.value)]});
  const [left, right] = [await unpack(first, a.value), await unpack(second, b.value)];
  if (!left.ok) return left;
  if (!right.ok) return right;
  return ok({...comparison, differences: [...causes, ...compareEntries(left.value, right.value)]});
}

/** What two releases were made from and is not the same: tools, flags, inputs. */
export function compareManifests(a: Manifest, b: Manifest): readonly Difference[] {
  const parts = (manifest: Manifest): ReadonlyMap<string, string> =>
    new Map([
      ['archive', manifest.archive.sha256],
      ['recipe', JSON.stringify(manifest.recipe)],
      ['frozen modules', manifest.frozen.join(' ')],
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

/** What is known of a release whose archive is not there: which files differ. */
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
