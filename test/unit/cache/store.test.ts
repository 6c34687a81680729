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
  writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {describe, expect, test} from '@jest/globals';
import {openStore} from '../../../src/cache/store.js';
import {digestOf} from '../../../src/model/digest.js';
import {folder, isKept, keep, opened, store} from './kept-results.js';

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

  test('that is stored while it is asked for is there or not, and nothing else', async () => {
    let found = 0;
    for (let round = 0; round < 200; round += 1) {
      const path = join(folder, 'made');
      const content = `content ${round}`;
      writeFileSync(path, content);
      const output = {name: 'o', digest: digestOf(content), size: content.length, executable: false};
      const putting = store.put(
        digestOf(`key ${round}`),
        {keyRecord: `key ${round}`, outputs: [output]},
        {o: path},
      );
      const asked: Promise<unknown>[] = [];
      const ask = async (at: string): Promise<void> => {
        for (let turn = 0; turn < 8; turn += 1) {
          const taken = await store.materialise(output, join(folder, at));
          expect(taken).toMatchObject({ok: true, value: {warnings: []}});
          if (taken.ok && taken.value.hit) found += 1;
          await setImmediate();
        }
      };
      for (const at of 'abc') asked.push(ask(at));
      await Promise.all([putting, ...asked]);
    }
    expect(found).toBeGreaterThan(0);
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
      failure: {code: 'IO', message: `cannot read ${entry}: a part of the path is not a directory`},
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
