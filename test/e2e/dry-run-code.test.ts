/** What the exit code of a dry run says to a script. */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import {flashfreeze, flashfreezeJson} from '../../support/rig.js';
import {findPythons} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {testWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);

const [python] = findPythons().slice(-1);
const folder = temporaryDirectory('dry-run');

testWith(python, 'a Python')('0: nothing to do; 5: something to do; others: an error', async () => {
  const out = join(folder, 'out');
  const relink = [
    ...['relink', '--python', python?.python ?? '', '--out', out, '--module', 'json'],
    ...['--build-dir', join(folder, 'build'), '--cache-dir', join(folder, 'cache')],
  ];
  const dry = async (...more: string[]): Promise<number | null> =>
    (await flashfreeze([...relink, '--dry-run', ...more])).exitCode;
  expect(await dry()).toBe(5);
  expect((await flashfreeze(relink)).exitCode).toBe(0);
  expect(await dry()).toBe(0);
  expect(await dry('--force')).toBe(5);
  expect(await dry('--module', 'no_such_module_of_this')).not.toBe(0);
  expect(await dry('--jobs', 'x')).toBe(2);
  rmSync(out);
  expect(await dry()).toBe(5);
  // Everything is in the cache, and a build would still have to take it from there.
  rmSync(join(folder, 'build', 'images'), {recursive: true});
  const {exitCode, summary} = await flashfreezeJson([...relink, '--dry-run']);
  expect([exitCode, summary.actions.cached > 0]).toEqual([5, true]);
});

test('a dry run of what is not there is an error', async () => {
  const {exitCode} = await flashfreeze(['relink', '--python', './none', '--out', 'x', '--dry-run'], {
    cwd: folder,
  });
  expect(exitCode).toBe(2);
});
