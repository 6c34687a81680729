import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, jest, test} from '@jest/globals';
import {damageEach} from '../../support/damage.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {actualOutputs, build, expectedOutputs, makeToy, ofType, storeIn} from '../engine/toys.js';

// The same for a real build: node test/conformance/run.mjs cache-damage
jest.setTimeout(60_000);

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

test('every damaged, truncated or swapped object of a store is detected and restored, and the build is right', async () => {
  const toy = await makeToy(folder, {a: 'A1\n', b: 'B1\n', c: 'C1\n'});
  const store = await storeIn(join(folder, 'store'));
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
