import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {layoutOf} from '../../../src/cache/store-layout.js';
import {openStore, type Store} from '../../../src/cache/store.js';
import type {ActionRecord} from '../../../src/cache/record.js';
import {digestOf, type Digest} from '../../../src/model/digest.js';
import {canonicalJson} from '../../../src/model/canonical-json.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = temporaryDirectory();
  store = await opened(join(folder, 'store'));
});

async function opened(root: string): Promise<Store> {
  const result = await openStore(root);
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

interface Kept {
  readonly key: Digest;
  readonly record: ActionRecord;
  readonly entry: string;
  readonly blobs: readonly string[];
}

/** Keeps a result with one output for each content. */
async function keep(name: string, contents: readonly string[], executable = false): Promise<Kept> {
  const keyRecord = canonicalJson({name});
  const files: Record<string, string> = {};
  const outputs = contents.map((content, index) => {
    const output = `out${index}`;
    files[output] = join(folder, `${name}-${output}`);
    writeFileSync(files[output], content);
    return {name: output, digest: digestOf(content), size: Buffer.byteLength(content), executable};
  });
  const key = digestOf(keyRecord);
  const record = {keyRecord, outputs};
  expect(await store.put(key, record, files)).toEqual({ok: true, value: undefined});
  const layout = layoutOf(store.root);
  return {key, record, entry: layout.entry(key), blobs: outputs.map(({digest}) => layout.blob(digest))};
}

/** Makes it look as if the entry was last used so many days ago. */
function age(kept: Kept, days: number): void {
  const then = Date.now() / 1000 - days * 86_400;
  for (const path of [kept.entry, ...kept.blobs]) utimesSync(path, then, then);
}

async function isKept(kept: Kept): Promise<boolean> {
  const found = await store.get(kept.key);
  if (!found.ok) throw new Error(found.failure.message);
  expect(found.value.warnings).toEqual([]);
  return found.value.record !== undefined;
}

const nothing = {ok: true, value: {record: undefined, warnings: []}};

describe('a stored result', () => {
  test('is read unchanged, by any process', async () => {
    const {key, record} = await keep('a', ['one', 'two'], true);
    const other = await opened(store.root);
    expect(await other.get(key)).toEqual({ok: true, value: {record, warnings: []}});
    const [first] = record.outputs;
    if (first === undefined) throw new Error('no output');
    expect(await other.materialise(first, join(folder, 'copy'))).toEqual({
      ok: true,
      value: {hit: true, warnings: []},
    });
    expect(readFileSync(join(folder, 'copy'), 'utf8')).toBe('one');
    expect(statSync(join(folder, 'copy')).mode & 0o777).toBe(0o755);
  });

  test('has the path that Bazel uses', async () => {
    const {key} = await keep('a', ['one']);
    const digest = digestOf('one');
    expect(readFileSync(join(folder, 'store', 'cas', digest.slice(0, 2), digest), 'utf8')).toBe('one');
    expect(existsSync(join(folder, 'store', 'ac', key.slice(0, 2), key))).toBe(true);
    expect(readdirSync(join(folder, 'store', 'tmp'))).toEqual([]);
  });

  test('cannot be damaged through a copy', async () => {
    const {key, record} = await keep('a', ['one']);
    const [output] = record.outputs;
    if (output === undefined) throw new Error('no output');
    await store.materialise(output, join(folder, 'copy'));
    appendFileSync(join(folder, 'copy'), 'damage');
    appendFileSync(join(folder, 'a-out0'), 'damage');
    expect(await store.get(key)).toEqual({ok: true, value: {record, warnings: []}});
    expect(await store.materialise(output, join(folder, 'again'))).toMatchObject({
      ok: true,
      value: {hit: true},
    });
  });

  test('can hold an empty file and a large one', async () => {
    const large = 'x'.repeat((1 << 20) * 2 + 17);
    const {record} = await keep('a', ['', large]);
    for (const output of record.outputs) {
      expect(await store.materialise(output, join(folder, output.name))).toMatchObject({
        ok: true,
        value: {hit: true},
      });
    }
    expect([
      readFileSync(join(folder, 'out0'), 'utf8'),
      readFileSync(join(folder, 'out1'), 'utf8') === large,
    ]).toEqual(['', true]);
  });

  test('is not stored if a file does not match the record', async () => {
    writeFileSync(join(folder, 'file'), 'other');
    const outputs = [{name: 'o', digest: digestOf('one'), size: 3, executable: false}];
    const result = await store.put(digestOf('{}'), {keyRecord: '{}', outputs}, {o: join(folder, 'file')});
    expect(result).toMatchObject({ok: false, failure: {code: 'CACHE'}});
    expect(await store.get(digestOf('{}'))).toEqual(nothing);
    expect(await store.stats()).toMatchObject({entries: 0, blobs: 0});
    expect(readdirSync(join(folder, 'store', 'tmp'))).toEqual([]);
  });

  test('may be stored by many at once', async () => {
    const all = await Promise.all(
      Array.from({length: 20}, (_, index) => keep(`k${index % 3}`, ['same', `c${index % 3}`])),
    );
    for (const kept of all) expect(await isKept(kept)).toBe(true);
    expect(await store.stats()).toMatchObject({entries: 3, blobs: 4});
  });
});

test('an unknown key is a miss without a warning', async () => {
  expect(await store.get(digestOf('nothing'))).toEqual(nothing);
});

describe('damage', () => {
  test.each<[string, (path: string) => void]>([
    [
      'truncated',
      (path) => {
        truncateSync(path, 10);
      },
    ],
    [
      'emptied',
      (path) => {
        writeFileSync(path, '');
      },
    ],
    [
      'overwritten',
      (path) => {
        writeFileSync(path, '{"key":{"name":"b"},"outputs":[],"schema":1}');
      },
    ],
    [
      'of another schema',
      (path) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace('"schema":2', '"schema":3'));
      },
    ],
    [
      'changed in what it refers to',
      (path) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace('"size":3', '"size":4'));
      },
    ],
    [
      'a folder',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    [
      'without a digest',
      (path) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace(/"digest":"./, '"digest":"'));
      },
    ],
  ])('of an entry that is %s is reported, removed, and a miss', async (_, damage) => {
    const {key, entry} = await keep('a', ['one']);
    damage(entry);
    expect(await store.get(key)).toEqual({
      ok: true,
      value: {record: undefined, warnings: [`the cache entry ${entry} was damaged and has been removed`]},
    });
    expect(await store.get(key)).toEqual(nothing);
  });

  test('of an entry is detected at any byte', async () => {
    const {key, record, entry} = await keep('a', ['one']);
    const whole = readFileSync(entry);
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(entry, damaged);
      const found = await store.get(key);
      if (found.ok && found.value.record !== undefined) expect(found.value.record).toEqual(record);
      else expect(found).toMatchObject({ok: true, value: {warnings: [expect.stringContaining(entry)]}});
    }
  });

  test('does not include entries of an earlier version, which are a miss without a warning', async () => {
    const {key, entry} = await keep('a', ['one']);
    const older = readFileSync(entry, 'utf8').replace(/"schema":2,"sum":"[^"]*"/, '"schema":1');
    writeFileSync(entry, older);
    expect(await store.get(key)).toEqual(nothing);
    expect(await store.verify()).toMatchObject({entries: 1, damaged: [], incomplete: []});
    expect(await isKept(await keep('a', ['one']))).toBe(true);
  });

  test('of the size of a file is detected before it is copied', async () => {
    const {key, blobs} = await keep('a', ['one']);
    const [blob = ''] = blobs;
    chmodSync(blob, 0o644);
    truncateSync(blob, 1);
    expect(await store.get(key)).toEqual({
      ok: true,
      value: {record: undefined, warnings: [`the cached file ${blob} was damaged and has been removed`]},
    });
    expect(await store.get(key)).toEqual(nothing);
  });

  test('of the bytes of a file is detected in the copy, and storing it again repairs it', async () => {
    const {key, record, blobs} = await keep('a', ['one']);
    const [blob = ''] = blobs;
    chmodSync(blob, 0o644);
    writeFileSync(blob, 'two');
    const [output] = record.outputs;
    if (output === undefined) throw new Error('no output');
    expect(await store.materialise(output, join(folder, 'copy'))).toEqual({
      ok: true,
      value: {hit: false, warnings: [`the cached file ${blob} was damaged and has been removed`]},
    });
    expect([existsSync(join(folder, 'copy')), existsSync(blob)]).toEqual([false, false]);
    expect(await store.get(key)).toEqual(nothing);
    await keep('a', ['one']);
    expect(await store.get(key)).toEqual({ok: true, value: {record, warnings: []}});
    expect(await store.materialise(output, join(folder, 'copy'))).toMatchObject({
      ok: true,
      value: {hit: true},
    });
  });

  test('is detected by verify', async () => {
    const a = await keep('a', ['one']);
    const b = await keep('b', ['two']);
    const c = await keep('c', ['three']);
    const [blob = ''] = a.blobs;
    chmodSync(blob, 0o644);
    writeFileSync(blob, 'xxx');
    writeFileSync(b.entry, 'not a record');
    expect(await store.verify()).toEqual({
      entries: 3,
      blobs: 3,
      damaged: [blob, b.entry].sort(),
      incomplete: [a.entry],
    });
    expect([await isKept(a), await isKept(b), await isKept(c)]).toEqual([false, false, true]);
    expect(await store.verify()).toMatchObject({damaged: []});
  });
});

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

describe('a store that cannot be used', () => {
  test('is a failure that names the place and says what to do', async () => {
    writeFileSync(join(folder, 'file'), '');
    const result = await openStore(join(folder, 'file', 'store'));
    expect(result).toMatchObject({
      ok: false,
      failure: {code: 'CACHE', hint: expect.stringContaining('--cache-dir')},
    });
    expect(result.ok ? '' : result.failure.message).toContain(join(folder, 'file', 'store'));
  });

  test('fails to put with a failure that names the path, and looks like a miss', async () => {
    rmSync(join(folder, 'store', 'cas'), {recursive: true});
    writeFileSync(join(folder, 'store', 'cas'), '');
    writeFileSync(join(folder, 'out'), 'one');
    const outputs = [{name: 'o', digest: digestOf('one'), size: 3, executable: false}];
    const result = await store.put(digestOf('{}'), {keyRecord: '{}', outputs}, {o: join(folder, 'out')});
    expect(result).toMatchObject({ok: false, failure: {code: 'IO'}});
    expect(result.ok ? '' : result.failure.message).toContain(join(folder, 'store', 'cas'));
    expect(await store.get(digestOf('{}'))).toEqual(nothing);
  });

  test('that cannot be read is a failure that names the path', async () => {
    const {key, entry} = await keep('a', ['one']);
    rmSync(dirname(entry), {recursive: true});
    writeFileSync(dirname(entry), '');
    expect(await store.get(key)).toEqual({
      ok: false,
      failure: {code: 'IO', message: `cannot read ${entry}: a part of the path is not a folder`},
    });
  });

  test('is not reported for a copy whose destination is missing', async () => {
    const {record} = await keep('a', ['one']);
    const [output] = record.outputs;
    if (output === undefined) throw new Error('no output');
    const result = await store.materialise(output, join(folder, 'nowhere', 'copy'));
    expect(result).toMatchObject({ok: false, failure: {code: 'IO'}});
  });
});
