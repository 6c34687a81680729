/** node test/release/run.mjs variation [--runs 20] [--seed 1] [--opt FLAGS] [--source DIR] [--directory DIR] [--jobs 2] */
import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {type Manifest, manifestOf} from '../../../src/release/manifest.js';
import {compareReleases} from '../../../src/release/reproduction/reproduce.js';
import {releaseWithVariation, type Variation} from '../../../src/release/reproduction/variations.js';
import {say} from '../../../support/gate-options.js';
import {type Chance, chanceFrom} from '../../support/random.js';
import {type Site, withSite} from '../../support/release-rig.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_';

export function gate(words: readonly string[]): Promise<boolean> {
  return withSite(words, ['runs', 'seed'], async (site) => {
    const [runs, seed] = [Number(site.values['runs'] ?? 20), Number(site.values['seed'] ?? 1)];
    const chance = chanceFrom(seed);
    const digests = new Set<string>();
    let first: string | undefined;
    for (let i = 0; i < runs; i++) {
      const {place, manifest} = await build(draw(chance), chance, site);
      const {archive} = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
      digests.add(archive.sha256);
      say(`${i + 1} of ${runs}: ${archive.sha256}`);
      if (first !== undefined) await tellDifferences(first, manifest, site);
      else first = manifest;
      rmSync(join(place, 'build'), {recursive: true, force: true});
      if (manifest !== first) rmSync(place, {recursive: true, force: true});
    }
    say(
      `${runs} releases of ${site.source}, seed ${seed}: ${digests.size === 1 ? 'one digest' : `${digests.size} digests`}`,
    );
    return digests.size === 1;
  });
}

function draw(chance: Chance): Variation {
  return {
    folder: Array.from({length: 1 + chance.below(60)}, () => LETTERS[chance.below(LETTERS.length)]).join(''),
    umask: chance.of(['022', '077', '002', '027']),
    environment: {
      TZ: chance.of(['UTC', 'Pacific/Kiritimati', 'America/St_Johns', 'Asia/Kathmandu']),
      LC_ALL: chance.of(['C', 'C.UTF-8', 'POSIX']),
      LANG: chance.of(['C', 'tr_TR', 'de_DE.UTF-8']),
      PYTHONHASHSEED: String(chance.below(4_294_967_295)),
      USER: chance.of(['nobody', 'builder', 'root']),
    },
    fewerJobs: chance.below(2),
    ahead: chance.of([0, 1]) * (3600 + chance.below(3 * 365 * 86_400)),
    inNamespaces: chance.below(2) === 1,
  };
}

async function build(
  variation: Variation,
  chance: Chance,
  {folder, source, words, context}: Site,
): Promise<{readonly place: string; readonly manifest: string}> {
  const place = join(folder, variation.folder);
  const out = join(place, 'out');
  const isWarm = chance.below(2) === 1;
  if (isWarm) say('with the cache of the builds before');
  const cacheDir = isWarm ? context.cacheDir : join(place, 'cache');
  const built = await releaseWithVariation(
    variation,
    {source, arguments: words, place, out, cacheDir},
    context,
  );
  if (!built.ok) throw new Error(`${built.failure.message}\n${built.failure.details ?? ''}`);
  return {place, manifest: manifestOf(built.value)};
}

async function tellDifferences(first: string, second: string, {context}: Site): Promise<void> {
  const compared = await compareReleases(first, second, context);
  if (!compared.ok) throw new Error(compared.failure.message);
  for (const {path, what} of compared.value.differences) say(`  ${path}: ${what}`);
  for (const view of compared.value.views) say(view);
}
