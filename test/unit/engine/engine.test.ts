import {appendFileSync, chmodSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, jest, test} from '@jest/globals';
import {layoutOf} from '../../../src/cache/store-layout.js';
import {JOURNAL} from '../../../src/engine/records/journal.js';
import type {ActionSpec} from '../../../src/model/action-spec.js';
import {digestOf} from '../../../src/model/digest.js';
import {ALL, expectNoLeftovers, folder, output, source, toy} from './toy-folder.js';
import {actualOutputs, build, compiled, editJournal, expectedOutputs, ofType, storeIn} from './toys.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

describe('without a store', () => {
  test('the first build runs everything, the second nothing', async () => {
    const first = await build(toy);
    expect(first.result).toMatchObject({ok: true, value: {outcome: 'executed'}});
    expect(first.lines).toEqual(ALL.map((id) => `${id}: executed: first build`));
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    expect(statSync(output('program')).mode & 0o777).toBe(0o755);
    expectNoLeftovers();
    const second = await build(toy);
    expect(second.lines).toEqual(ALL.map((id) => `${id}: fresh: up to date`));
    expect(second.engine.summary()).toEqual({
      counts: {executed: 0, cached: 0, remote: 0, fresh: 4, failed: 0},
      executed: [],
    });
  });

  test('an edit runs only what depends on it', async () => {
    await build(toy);
    writeFileSync(source('b'), 'B2\n');
    const {lines} = await build(toy);
    expect(lines.filter((line) => !line.includes('fresh'))).toEqual([
      'cc:b: executed: input b changed',
      'link:program: executed: input cc:b changed; because b changed',
    ]);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });

  test('an edit that changes no output stops there, and leaves the file untouched', async () => {
    await build(toy);
    const before = statSync(output('b.o'), {bigint: true});
    appendFileSync(source('b'), '# a comment\n');
    const {executed} = await build(toy);
    const after = statSync(output('b.o'), {bigint: true});
    expect(executed).toEqual(['cc:b']);
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
    expect((await build(toy)).executed).toEqual([]);
  });

  test('a touched source runs nothing', async () => {
    await build(toy);
    utimesSync(source('a'), 1, 1);
    expect((await build(toy)).executed).toEqual([]);
  });

  test('an edit that keeps size and time is noticed', async () => {
    await build(toy);
    await build(toy);
    const {atime, mtime} = statSync(source('a'));
    writeFileSync(source('a'), 'A9\n');
    utimesSync(source('a'), atime, mtime);
    expect((await build(toy)).executed).toEqual(['cc:a', 'link:program']);
  });

  test('outputs that are missing or were changed are made again', async () => {
    await build(toy);
    rmSync(output('a.o'));
    writeFileSync(output('program'), 'vandalised');
    chmodSync(output('b.o'), 0o600);
    const {lines} = await build(toy);
    expect(lines.filter((line) => !line.includes('fresh'))).toEqual([
      'cc:a: executed: output a.o is missing',
      'link:program: executed: output program was changed outside of the build',
    ]);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });

  test('an executable that lost its mode gets it back', async () => {
    await build(toy);
    chmodSync(output('program'), 0o644);
    expect((await build(toy)).executed).toEqual(['link:program']);
    expect(statSync(output('program')).mode & 0o777).toBe(0o755);
  });

  test('force runs everything', async () => {
    await build(toy);
    const {lines} = await build(toy, {force: true});
    expect(lines).toEqual(ALL.map((id) => `${id}: executed: forced`));
  });

  test('other arguments are a reason', async () => {
    await build(toy);
    const {lines, engine} = await build(toy, {}, (spec) =>
      spec.id === 'cc:a' ? {...spec, arguments: {optimization: 2}, environment: {CC: 'x'}} : spec,
    );
    expect(lines[0]).toBe('cc:a: executed: arguments changed: optimization (and 1 more)');
    expect(engine.reasonsFor('cc:a')).toEqual(['arguments changed: optimization', 'environment changed: CC']);
  });

  test.each([
    ['torn', '{"sche', /is damaged or of another version, and is ignored/],
    ['of another version', '{"schema":0}\n', /is damaged or of another version, and is ignored/],
    ['empty', '', /is damaged or of another version, and is ignored/],
  ])('a journal that is %s is ignored with a notice', async (_, text, message) => {
    await build(toy);
    writeFileSync(output(JOURNAL), text);
    const {record, executed} = await build(toy);
    expect(ofType(record, 'notice').map((notice) => notice.message)).toEqual([
      expect.stringMatching(message),
    ]);
    expect(executed).toEqual(ALL);
  });

  test('invalid entries in the journal are ignored', async () => {
    await build(toy);
    editJournal(toy, (id, entry) => {
      if (id === 'cc:a') return null;
      if (id === 'cc:b') return {key: 'x', record: 1};
      return id === 'cc:c' ? {...entry, outputs: {o: 7}} : entry;
    });
    expect((await build(toy)).executed).toEqual(['cc:a', 'cc:b', 'cc:c']);
  });
});

describe('with a store', () => {
  test('a clean build directory is filled from it', async () => {
    const store = await storeIn(join(folder, 'store'));
    await build(toy, {store});
    rmSync(toy.buildDir, {recursive: true});
    const {lines, engine} = await build(toy, {store});
    expect(lines).toEqual(ALL.map((id) => `${id}: cached: result in the cache`));
    expect(engine.summary().counts).toMatchObject({executed: 0, cached: 4});
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    expect(statSync(output('program')).mode & 0o777).toBe(0o755);
    expect((await build(toy, {store})).engine.summary().counts.fresh).toBe(4);
  });

  test('outputs that are missing or changed are restored, others left untouched', async () => {
    const store = await storeIn(join(folder, 'store'));
    await build(toy, {store});
    rmSync(output('a.o'));
    appendFileSync(output('b.o'), 'x');
    const before = statSync(output('c.o'), {bigint: true}).ino;
    const {lines, executed} = await build(toy, {store});
    expect(executed).toEqual([]);
    expect(lines.filter((line) => line.includes('cached'))).toEqual([
      'cc:a: cached: result in the cache',
      'cc:b: cached: result in the cache',
    ]);
    expect(statSync(output('c.o'), {bigint: true}).ino).toBe(before);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });

  test('going back to an earlier source needs no work', async () => {
    const store = await storeIn(join(folder, 'store'));
    await build(toy, {store});
    writeFileSync(source('a'), 'A2\n');
    await build(toy, {store});
    writeFileSync(source('a'), 'A1\n');
    const {executed} = await build(toy, {store});
    expect(executed).toEqual([]);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });

  test('a damaged blob is reported, the action runs again, and the store is repaired', async () => {
    const store = await storeIn(join(folder, 'store'));
    await build(toy, {store});
    const blob = layoutOf(store.root).blob(digestOf(compiled('A1\n')));
    chmodSync(blob, 0o644);
    writeFileSync(blob, readFileSync(blob, 'utf8').toLowerCase());
    rmSync(toy.buildDir, {recursive: true});
    const {record, executed, lines} = await build(toy, {store});
    expect(executed).toEqual(['cc:a']);
    expect(lines[0]).toBe('cc:a: executed: first build');
    expect(ofType(record, 'warning').map(({message}) => message)).toEqual([
      `the cached file ${blob} was damaged and has been removed`,
    ]);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    rmSync(toy.buildDir, {recursive: true});
    const healed = await build(toy, {store});
    expect([healed.executed, ofType(healed.record, 'warning')]).toEqual([[], []]);
  });

  test('two builds at once on one store both come out right', async () => {
    const store = await storeIn(join(folder, 'store'));
    const other = await storeIn(join(folder, 'store'));
    const twin = {...toy, buildDir: join(folder, 'build2')};
    const built = await Promise.all([build(toy, {store}), build(twin, {store: other})]);
    expect(built.every(({result}) => result.ok)).toBe(true);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    expect(actualOutputs(twin)).toEqual(expectedOutputs(toy));
    expect(await store.verify()).toMatchObject({entries: 4, blobs: 4, damaged: [], incomplete: []});
  });

  test('a store that cannot be written costs a warning and nothing else', async () => {
    const store = await storeIn(join(folder, 'store'));
    for (const part of ['cas', 'ac', 'tmp']) {
      rmSync(join(folder, 'store', part), {recursive: true});
      writeFileSync(join(folder, 'store', part), '');
    }
    const {record, result} = await build(toy, {store});
    expect(result.ok).toBe(true);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    expect(ofType(record, 'warning').map(({message}) => message.split(':')[0])).toEqual([
      'the cache cannot be read and is not used',
      'the cache cannot be written and is not used',
    ]);
  });

  test('work in place never goes to it', async () => {
    const store = await storeIn(join(folder, 'store'));
    const inPlace = (spec: ActionSpec): ActionSpec => ({...spec, storage: 'in-place'});
    await build(toy, {store}, (spec) => (spec.id === 'link:program' ? spec : inPlace(spec)));
    expect((await store.stats()).entries).toBe(1);
  });
});
