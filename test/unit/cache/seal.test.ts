/** The secret that marks results in shared stores: the same in each process, whatever lay in its place. */
import {chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {openSeal} from '../../../src/cache/seal.js';
import {digestOf} from '../../../src/model/digest.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const before = process.env['XDG_CACHE_HOME'];
let own: string;
let shared: string;
beforeEach(() => {
  own = temporaryDirectory('seal');
  shared = join(temporaryDirectory('shared'), 'cache');
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  process.env['XDG_CACHE_HOME'] = own;
});
afterEach(() => {
  if (before === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = before;
});

const sum = digestOf('a result');
const place = (): string => join(own, 'flashfreeze', 'seal');

test('a mark is known again by who made it, and by nobody else', async () => {
  const mark = (await openSeal(shared))?.of(sum) ?? '';
  expect(mark).toMatch(/^[0-9a-f]{64}$/);
  const again = await openSeal(shared);
  expect([again?.isOf(sum, mark), again?.isOf(digestOf('another'), mark)]).toEqual([true, false]);
  process.env['XDG_CACHE_HOME'] = temporaryDirectory('another-user');
  expect((await openSeal(shared))?.isOf(sum, mark)).toBe(false);
});

test('the secret is nobody else’s to read, and nothing is left beside it', async () => {
  await openSeal(shared);
  expect(readdirSync(place())).toEqual(['secret']);
  expect([statSync(place()).mode & 0o777, statSync(join(place(), 'secret')).mode & 0o777]).toEqual([
    0o700, 0o600,
  ]);
});

test.each<[string, () => void]>([
  [
    'a file',
    () => {
      writeFileSync(place(), 'a secret of before');
    },
  ],
  [
    'a directory with a damaged secret',
    () => {
      mkdirSync(place());
      writeFileSync(join(place(), 'secret'), 'short');
    },
  ],
])('%s in its place is replaced', async (_, put) => {
  mkdirSync(join(own, 'flashfreeze'));
  put();
  const mark = (await openSeal(shared))?.of(sum) ?? '';
  expect((await openSeal(shared))?.isOf(sum, mark)).toBe(true);
});

test('a link in its place is left alone, and there are no marks', async () => {
  mkdirSync(join(own, 'flashfreeze'));
  const elsewhere = temporaryDirectory('elsewhere');
  symlinkSync(elsewhere, place());
  expect(await openSeal(shared)).toBeUndefined();
  expect(readdirSync(elsewhere)).toEqual([]);
});
