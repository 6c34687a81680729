/** node test/release/run.mjs profile [--task ARGS] [--opt FLAGS] [--source DIR] [--directory DIR] [--jobs 2] */
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {type Manifest, manifestOf} from '../../../src/release/manifest.js';
import {compareReleases} from '../../../src/release/reproduction/reproduce.js';
import {releaseWithVariation, VARIATIONS} from '../../../src/release/reproduction/variations.js';
import {say} from '../../../support/gate-options.js';
import {release, withSite} from '../../support/release-rig.js';

export function gate(words: readonly string[]): Promise<boolean> {
  return withSite(words, ['task'], async (site) => {
    const {folder, source, values, context} = site;
    const task = values['task'];
    const more = task === undefined ? [] : [`--make-arg=PROFILE_TASK=${task}`];
    const first = await release(site, 'recorded', source, [
      ...more,
      '--record-profile',
      join(folder, 'recorded.tar.xz'),
    ]);
    const {recipe} = JSON.parse(readFileSync(first, 'utf8')) as Manifest;
    const profile = join(dirname(first), recipe.profile?.name ?? 'none');
    const place = join(folder, VARIATIONS[1].folder);
    const out = join(place, 'out');
    const varied = {source, place, out, arguments: [...site.words, ...more, '--profile', profile]};
    const built = await releaseWithVariation(VARIATIONS[1], varied, context);
    if (!built.ok) throw new Error(`${built.failure.message}\n${built.failure.details ?? ''}`);
    const compared = await compareReleases(first, manifestOf(built.value), context);
    if (!compared.ok) throw new Error(compared.failure.message);
    const {differences, files, sha256, views} = compared.value;
    for (const {path, what} of differences) say(`  ${path}: ${what}`);
    views.forEach(say);
    say(
      `by the profile ${recipe.profile?.sha256 ?? ''}: ${differences.length} differences in ${files} files, ${sha256}`,
    );
    return differences.length === 0;
  });
}
