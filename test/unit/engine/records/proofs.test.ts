import {chmodSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {openProofs} from '../../../../src/engine/records/proofs.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {storeIn} from '../toys.js';

const check = (image: string) => ({statement: {image, interpreter: 'python'}});
const ALL = ['a', 'b', 'c'].map(check);
let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

test('a statement that holds need not be checked again in this build directory', async () => {
  const first = openProofs(folder, {store: undefined, force: false});
  expect(await first.unproven(ALL)).toEqual(ALL);
  await first.keep([check('a').statement, check('c').statement]);
  const second = openProofs(folder, {store: undefined, force: false});
  expect(await second.unproven(ALL)).toEqual([check('b')]);
  // The order of a statement's fields does not matter; another value does.
  const others = [
    {statement: {interpreter: 'python', image: 'a'}},
    {statement: {interpreter: 'other', image: 'a'}},
  ];
  expect(await second.unproven(others)).toEqual([others[1]]);
});

test('another build directory takes the proofs of the store', async () => {
  const store = await storeIn(join(folder, 'store'));
  await openProofs(temporaryDirectory(), {store, force: false}).keep([check('a').statement]);
  const build = temporaryDirectory();
  const there = openProofs(build, {store, force: false});
  expect(await there.unproven(ALL)).toEqual([check('b'), check('c')]);
  // From then on it needs no store.
  const alone = openProofs(build, {store: undefined, force: false});
  expect(await alone.unproven(ALL)).toEqual([check('b'), check('c')]);
});

test('a forced build checks everything', async () => {
  await openProofs(folder, {store: undefined, force: false}).keep([check('a').statement]);
  expect(await openProofs(folder, {store: undefined, force: true}).unproven(ALL)).toEqual(ALL);
});

test('what is no digest in the file proves nothing', async () => {
  const proofs = openProofs(folder, {store: undefined, force: false});
  await proofs.keep([check('a').statement]);
  const file = join(folder, 'proofs');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.slice(0, 20));
  expect(await openProofs(folder, {store: undefined, force: false}).unproven(ALL)).toEqual(ALL);
  writeFileSync(file, `\0damaged\n${text}`);
  expect(await openProofs(folder, {store: undefined, force: false}).unproven(ALL)).toHaveLength(2);
});

test('a store that cannot be used is no proof, and no failure', async () => {
  const root = join(folder, 'store');
  const store = await storeIn(root);
  for (const part of ['cas', 'ac', 'tmp']) {
    rmSync(join(root, part), {recursive: true});
    writeFileSync(join(root, part), '');
    chmodSync(join(root, part), 0o400);
  }
  const proofs = openProofs(folder, {store, force: false});
  await proofs.keep([check('a').statement]);
  expect(await proofs.unproven(ALL)).toEqual([check('b'), check('c')]);
});
