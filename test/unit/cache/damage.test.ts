import {rmSync} from 'node:fs';
import {afterEach, beforeEach, expect, jest, test} from '@jest/globals';
import {damageEach} from '../../support/damage.js';
import {actualOutputs, build, expectedOutputs, makeToy, ofType, storeIn} from '../engine/toys.js';
import {temporaryFolder, type TemporaryFolder} from '../exec/rig.js';

// The same for a real build: node test/conformance/run.mjs cache-damage
jest.setTimeout(60_000);

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  folder.remove();
});

test('every damaged, truncated or swapped object of a store is detected and restored, and the build is right', async () => {
  const toy = await makeToy(folder.path, {a: 'A1\n', b: 'B1\n', c: 'C1\n'});
  const store = await storeIn(folder.at('store'));
  await build(toy, {store});
  const {count, bad} = await damageEach(store.root, async ({path}) => {
    rmSync(toy.buildDir, {recursive: true});
    const {record, executed} = await build(toy, {store});
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    const warnings = ofType(record, 'warning').map(({message}) => message);
    return warnings.length === 1 && (warnings[0] ?? '').includes(path) && executed.length === 1;
  });
  expect(bad).toEqual([]);
  expect(count).toBe(24);
  expect(await store.verify()).toEqual({entries: 4, blobs: 4, damaged: [], incomplete: []});
});
