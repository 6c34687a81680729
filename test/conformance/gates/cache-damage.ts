/**
 * Every object of the cache that a real build made is damaged, truncated and swapped for another, one at a time: each time it
 * has to be found, the images have to be right, and the cache has to be healed.
 *
 *     node test/conformance/run.mjs cache-damage [--module json.decoder]
 */
import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {makeDirectory} from '../../../support/make-directory.js';
import {prepareTree} from '../../../support/cpython-trees.js';
import {flashfreezeJson} from '../../../support/rig.js';
import {damageEach} from '../../support/damage.js';
import {gateOptions, say} from '../../../support/gate-options.js';

export async function gate(words: readonly string[]): Promise<boolean> {
  const {values} = gateOptions(words, {values: ['module']});
  const tree = await prepareTree('3.13.15');
  const images = join(tree.buildDir, 'images');
  const aside = `${images}.aside`;
  const cacheDir = makeDirectory('damage');
  const regen = async (): Promise<Awaited<ReturnType<typeof flashfreezeJson>>> => {
    rmSync(images, {recursive: true, force: true});
    const done = await flashfreezeJson([
      ...['regen', '--source', tree.source, '--build-dir', tree.buildDir],
      ...['--cache-dir', cacheDir, '--module', values['module'] ?? 'json.decoder'],
    ]);
    if (done.exitCode !== 0) throw new Error(done.stderr);
    return done;
  };
  if (existsSync(images)) renameSync(images, aside);
  try {
    await regen();
    // What is not an image stays in place, and its results are not looked up: only those of images belong here.
    rmSync(cacheDir, {recursive: true});
    const {modules} = (await regen()).summary;
    const right = digestsIn(images);
    say(`3.13.15: ${modules} modules, ${Object.keys(right).length} files`);
    const {count, bad} = await damageEach(cacheDir, async ({path}) => {
      const {events} = await regen();
      const isTold = events.some(({type, message}) => type === 'warning' && String(message).includes(path));
      return isTold && JSON.stringify(digestsIn(images)) === JSON.stringify(right);
    });
    for (const {path, damage} of bad) say(`  not found, not right or not healed: ${path}, ${damage}`);
    say(`${count} objects damaged, truncated or swapped, ${count - bad.length} found, right and healed`);
    return bad.length === 0;
  } finally {
    rmSync(cacheDir, {recursive: true, force: true});
    if (existsSync(aside)) {
      rmSync(images, {recursive: true, force: true});
      renameSync(aside, images);
    }
  }
}

/** The digest of every file below a directory, by its name, in order. */
function digestsIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, {recursive: true, encoding: 'utf8'}).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );
}
