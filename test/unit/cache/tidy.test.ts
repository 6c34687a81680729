import {existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import type {CollectLimits} from '../../../src/cache/collection.js';
import {layoutOf} from '../../../src/cache/store-layout.js';
import type {Store} from '../../../src/cache/store.js';
import {digestOf, type Digest} from '../../../src/model/digest.js';
import {canonicalJson} from '../../../src/model/canonical-json.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {storeIn} from '../engine/toys.js';

const DAY_MS = 86_400_000;
const start = Date.now();
const limits: CollectLimits = {maxBytes: 100_000, maxAgeDays: 30, nowMs: start};

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = temporaryDirectory();
  store = await storeIn(join(folder, 'store'));
});

/** Keeps a result of so many bytes in a store; its files look as if they were last used at `usedMs`. */
async function keep(name: string, bytes: number, usedMs?: number, into = store): Promise<Digest> {
  const content = name.padEnd(bytes, '.');
  writeFileSync(join(folder, 'file'), content);
  const keyRecord = canonicalJson({name});
  const key = digestOf(keyRecord);
  const output = {name: 'o', digest: digestOf(content), size: bytes, executable: false};
  expect(await into.put(key, {keyRecord, outputs: [output]}, {o: join(folder, 'file')})).toMatchObject({
    ok: true,
  });
  const layout = layoutOf(into.root);
  if (usedMs !== undefined) {
    for (const path of [layout.entry(key), layout.blob(output.digest)]) {
      utimesSync(path, usedMs / 1000, usedMs / 1000);
    }
  }
  return key;
}

const isThere = (key: Digest): boolean => existsSync(layoutOf(store.root).entry(key));
const next = (): Promise<Store> => storeIn(store.root);

describe('after a build', () => {
  test('that stored nothing, there is no collection, and no file is read or written', async () => {
    const old = await keep('old', 10, start - 31 * DAY_MS);
    const before = readdirSync(store.root);
    expect(await (await next()).tidy(limits)).toBeUndefined();
    expect(isThere(old)).toBe(true);
    expect(readdirSync(store.root)).toEqual(before);
  });

  test('the first collection takes place at once, the next a day later', async () => {
    const old = await keep('old', 10, start - 31 * DAY_MS);
    const almost = await keep('almost', 10, start - 29.5 * DAY_MS);
    expect(await store.tidy(limits)).toMatchObject({removedEntries: 1, keptEntries: 1});
    expect([isThere(old), isThere(almost)]).toEqual([false, true]);

    const second = await next();
    await keep('b', 10, start, second);
    expect(await second.tidy({...limits, nowMs: start + 0.9 * DAY_MS})).toBeUndefined();
    const third = await next();
    await keep('c', 10, start, third);
    expect(await third.tidy({...limits, nowMs: start + DAY_MS})).toMatchObject({removedEntries: 1});
    expect(isThere(almost)).toBe(false);
  });

  test('that made the store too large, a collection frees space', async () => {
    await keep('first', 40_000, start - 3000);
    expect(await store.tidy(limits)).toMatchObject({removedEntries: 0});
    const second = await next();
    await keep('second', 40_000, start - 2000, second);
    expect(await second.tidy(limits)).toBeUndefined();
    const third = await next();
    const last = await keep('third', 40_000, start - 1000, third);
    expect(await third.tidy(limits)).toMatchObject({removedEntries: 1, keptEntries: 2});
    expect((await third.stats()).bytes).toBeLessThanOrEqual(90_000);
    expect(isThere(last)).toBe(true);
    expect(isThere(digestOf(canonicalJson({name: 'first'})))).toBe(false);
  });

  test('that stored the same again, the store has not grown', async () => {
    await keep('a', 60_000);
    await store.tidy(limits);
    const second = await next();
    await keep('a', 60_000, undefined, second);
    expect(await second.tidy(limits)).toBeUndefined();
    expect(isThere(digestOf(canonicalJson({name: 'a'})))).toBe(true);
  });

  test.each(['', 'nonsense', '[]', 'null', '{"atMs":"x"}'])('a note with %j is ignored', async (text) => {
    writeFileSync(join(folder, 'store', 'collected.json'), text);
    const old = await keep('old', 10, start - 31 * DAY_MS);
    expect(await store.tidy(limits)).toMatchObject({removedEntries: 1});
    expect(isThere(old)).toBe(false);
  });
});

describe('a clock that was set back', () => {
  test('does not delay collections', async () => {
    await keep('a', 10);
    await store.tidy({...limits, maxAgeDays: 1000, nowMs: start + 400 * DAY_MS});
    const later = await next();
    await keep('b', 10, start, later);
    expect(await later.tidy(limits)).toMatchObject({keptEntries: 2});
    const {atMs} = JSON.parse(readFileSync(join(folder, 'store', 'collected.json'), 'utf8')) as {
      atMs: number;
    };
    expect(atMs).toBe(start);
  });

  test('does not keep results forever: one that was used in the future ages from now on', async () => {
    const future = await keep('future', 10, start + 400 * DAY_MS);
    expect(await store.collect(limits)).toMatchObject({removedEntries: 0, keptEntries: 1});
    expect(Math.abs(statSync(layoutOf(store.root).entry(future)).mtimeMs - start)).toBeLessThan(2);
    expect(await store.collect({...limits, nowMs: start + 31 * DAY_MS})).toMatchObject({removedEntries: 1});
  });
});

test('results used during a collection stay', async () => {
  const old = await keep('old', 10, start - 31 * DAY_MS);
  const collecting = store.collect(limits);
  expect(await store.get(old)).toMatchObject({ok: true, value: {warnings: []}});
  await collecting;
  // Whichever came first: an entry is there with its file, or it is a miss.
  const found = await store.get(old);
  expect(found).toMatchObject({ok: true, value: {warnings: []}});
  expect(await store.verify()).toMatchObject({damaged: []});
});

test('clear resets the time of the last collection', async () => {
  await keep('a', 10);
  await store.tidy(limits);
  await store.clear();
  expect(existsSync(join(folder, 'store', 'collected.json'))).toBe(false);
  rmSync(join(folder, 'store'), {recursive: true});
});
