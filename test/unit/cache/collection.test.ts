import {existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {layoutOf} from '../../../src/cache/store-layout.js';
import {digestOf} from '../../../src/model/digest.js';
import {age, isKept, keep, store, type Kept} from './kept-results.js';

describe('collect', () => {
  const unlimited = {maxBytes: Number.MAX_SAFE_INTEGER, maxAgeDays: 365};

  test('removes what is too old, and keeps files that others need', async () => {
    const old = await keep('old', ['shared', 'only old']);
    const young = await keep('young', ['shared', 'only young']);
    age(old, 31);
    const collected = await store.collect({...unlimited, maxAgeDays: 30});
    expect(collected).toMatchObject({removedEntries: 1, removedBlobs: 1, keptEntries: 1});
    expect([await isKept(old), await isKept(young)]).toEqual([false, true]);
    expect(await store.stats()).toMatchObject({entries: 1, blobs: 2, bytes: collected.keptBytes});
  });

  test('then removes the least recently used results', async () => {
    const kept: Kept[] = [];
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      const result = await keep(name, [name.repeat(1000)]);
      age(result, 3 - index);
      kept.push(result);
    }
    const [a, b, c] = kept as [Kept, Kept, Kept];
    expect(await isKept(a)).toBe(true); // a use: now b is the oldest
    await store.collect({...unlimited, maxBytes: 2600});
    expect([await isKept(a), await isKept(b), await isKept(c)]).toEqual([true, false, true]);
    expect((await store.stats()).bytes).toBeLessThanOrEqual(2600);
  });

  test('to nothing leaves nothing', async () => {
    await keep('a', ['one']);
    await store.collect({...unlimited, maxBytes: 0});
    expect(await store.stats()).toEqual({
      entries: 0,
      blobs: 0,
      bytes: 0,
      oldestMs: undefined,
      newestMs: undefined,
    });
  });

  test('keeps files that may still be written, and removes unfinished ones', async () => {
    const layout = layoutOf(store.root);
    const half = [
      layout.blob(digestOf('young')),
      layout.blob(digestOf('old')),
      `${layout.temporary}/.new-y`,
      `${layout.temporary}/.new-o`,
    ];
    for (const path of half) {
      mkdirSync(path.slice(0, path.lastIndexOf('/')), {recursive: true});
      writeFileSync(path, path.endsWith('y') ? 'young' : 'old');
    }
    const twoHoursAgo = Date.now() / 1000 - 7200;
    for (const path of [half[1], half[3]]) utimesSync(path ?? '', twoHoursAgo, twoHoursAgo);
    await store.collect(unlimited);
    expect(half.map((path) => existsSync(path))).toEqual([true, false, true, false]);
  });
});

test('stats count what is there, and clear removes it', async () => {
  const a = await keep('a', ['one', 'two']);
  age(a, 2);
  await keep('b', ['two']);
  const stats = await store.stats();
  expect(stats).toMatchObject({entries: 2, blobs: 2});
  expect((stats.newestMs ?? 0) - (stats.oldestMs ?? 0)).toBeGreaterThan(86_400_000);
  expect(await store.clear()).toEqual({ok: true, value: undefined});
  expect(await store.stats()).toMatchObject({entries: 0, blobs: 0, bytes: 0});
  expect(await isKept(a)).toBe(false);
  expect(await isKept(await keep('c', ['three']))).toBe(true);
});

test('clear removes nothing but results and files of a store', async () => {
  await keep('a', ['one']);
  const others = ['tmp/letter', 'tmp/sub/.new-1', 'cas/ab/letter', 'ac/x/letter', 'cas/abc', 'letter'];
  for (const name of others) {
    mkdirSync(dirname(join(store.root, name)), {recursive: true});
    writeFileSync(join(store.root, name), 'dear');
  }
  const directory = join(store.root, 'ac', 'ab', digestOf('directory'));
  mkdirSync(directory, {recursive: true});
  writeFileSync(join(directory, 'letter'), 'dear');
  expect(await store.clear()).toMatchObject({failure: {message: `cannot remove ${directory}`}});
  expect(await store.stats()).toMatchObject({entries: 0, blobs: 0});
  for (const name of others) expect(readFileSync(join(store.root, name), 'utf8')).toBe('dear');
  expect(readdirSync(directory)).toEqual(['letter']);
});
