/** Builds of a snapshot that are killed at random moments leave a working executable, and the next build makes what it should. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {CACHE} from '../../support/rig.js';
import {runKilled} from '../endurance/kill.js';
import {chanceFrom} from '../support/random.js';
import {type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-killed');
const KILLS = Number(process.env['FLASHFREEZE_KILLS'] ?? '4');
const MODULE = ['--module', 'killed'];
let rig: SnapshotRig;

const edit = (value: number): void => {
  writeFileSync(join(rig.packages, 'killed.py'), `value = ${value}\nlist_of_it = [value] * 1000\n`);
};
/** The value that a start sees, and where it comes from. */
const seen = async (): Promise<string> =>
  rig.stateOf(rig.out, [
    ...['-c', 'import _flashfreeze, killed; print(killed.list_of_it[-1], _flashfreeze.info()["snapshot"])'],
  ]);

beforeAll(async () => {
  rig = await snapshotRig(folder);
  edit(0);
  const built = await rig.build(...MODULE);
  expect([built.exitCode, built.stderr]).toEqual([0, expect.any(String)]);
});

test(`after ${KILLS} kills`, async () => {
  expect(await seen()).toBe('0 restored');
  const chance = chanceFrom(25);
  let longest = 3000;
  let killed = 0;
  for (let value = 1; value <= KILLS; value++) {
    edit(value);
    const moment = chance.fraction() * longest;
    const wasKilled = await runKilled(
      ['snapshot', ...rig.words, ...MODULE, '--cache-dir', join(CACHE, 'store')],
      moment,
      {cwd: folder, environment: rig.environment},
    );
    if (wasKilled) killed++;
    // The old executable, the new one, or one without a snapshot: each of them runs the source as it is.
    expect(await seen()).toMatch(new RegExp(`^${value} `));
    const started = performance.now();
    const built = await rig.build(...MODULE);
    longest = Math.max(longest, performance.now() - started);
    expect([moment, built.exitCode, built.summary.ok, built.stderr]).toEqual([
      moment,
      0,
      true,
      expect.any(String),
    ]);
    expect(await seen()).toBe(`${value} restored`);
  }
  expect(killed).toBeGreaterThan(0);
});
