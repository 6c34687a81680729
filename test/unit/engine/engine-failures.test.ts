import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, jest, test} from '@jest/globals';
import {createEngine} from '../../../src/engine/engine.js';
import {localSlots} from '../../../src/exec/job-slots.js';
import type {ActionSpec} from '../../../src/model/action-spec.js';
import type {FailureCode} from '../../../src/model/failure.js';
import {fail, ok} from '../../../src/model/result.js';
import {expectNoLeftovers, folder, output, source, toy} from './toy-folder.js';
import {actualOutputs, build, compiled, expectedOutputs, ofType, recorder, storeIn} from './toys.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

describe('an action that fails', () => {
  test('leaves the last good state, and nothing temporary', async () => {
    await build(toy);
    writeFileSync(source('b'), 'syntax error\n');
    const {result, engine, record} = await build(toy);
    expect(result).toMatchObject({ok: false, failure: {code: 'CC', message: 'b does not compile'}});
    expect(engine.summary()).toMatchObject({counts: {failed: 1, fresh: 2}, executed: []});
    expect(ofType(record, 'action-failed')).toMatchObject([{id: 'cc:b', step: 'cc', failure: {code: 'CC'}}]);
    expect(readFileSync(output('b.o'), 'utf8')).toBe(compiled('B1\n'));
    expectNoLeftovers();
    writeFileSync(source('b'), 'B1\n');
    expect((await build(toy)).executed).toEqual([]);
  });

  test.each<[string, ActionSpec['execute'], FailureCode, string]>([
    ['writes nothing', () => Promise.resolve(ok()), 'ACTION', 'cc:a did not write its output a.o'],
    [
      'throws',
      () => {
        throw new Error('oops');
      },
      'BUG',
      'internal error in cc:a: oops',
    ],
    ['rejects', () => Promise.reject(new Error('oops')), 'BUG', 'internal error in cc:a: oops'],
    [
      'cannot write a file',
      () => writeFile('/nowhere/at all', '').then(() => ok()),
      'IO',
      "cc:a: ENOENT: no such file or directory, open '/nowhere/at all'",
    ],
  ])('because it %s breaks its contract', async (_, execute, code, message) => {
    const {result} = await build(toy, {}, (spec) => (spec.id === 'cc:a' ? {...spec, execute} : spec));
    expect(result).toMatchObject({ok: false, failure: {code, message}});
    expectNoLeftovers();
  });

  test('because a source changed under it is not kept', async () => {
    const store = await storeIn(join(folder, 'store'));
    const {result} = await build(toy, {store}, (spec) => ({
      ...spec,
      execute: async (context) => {
        const done = await spec.execute(context);
        if (spec.id === 'cc:a') await writeFile(source('a'), 'A2\n');
        return done;
      },
    }));
    const message = 'a changed while cc:a was running';
    expect(result).toMatchObject({ok: false, failure: {code: 'ACTION', message}});
    expect((await store.stats()).entries).toBe(2);
    await build(toy, {store});
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });

  test('because its output cannot be written names the path', async () => {
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file', 'a.o');
    const {result} = await build(toy, {}, (spec) =>
      spec.id === 'cc:a' ? {...spec, outputs: [{name: 'a.o', path}]} : spec,
    );
    expect(result).toMatchObject({ok: false, failure: {code: 'IO'}});
    expect(result.ok ? '' : result.failure.message).toContain(join(folder, 'file'));
  });
});

describe('declarations', () => {
  const engineFor = (): ReturnType<typeof createEngine> =>
    createEngine({
      buildDir: toy.buildDir,
      store: undefined,
      jobs: localSlots(1),
      events: recorder(),
      signal: new AbortController().signal,
    });
  let runs = 0;
  const spec = (extra: Partial<ActionSpec> = {}): ActionSpec => ({
    id: 'cc:x',
    tools: [],
    arguments: null,
    environment: {},
    inputs: [],
    outputs: [{name: 'x.o', path: output('x.o')}],
    storage: 'shared',
    execute: async ({outputs}) => {
      runs += 1;
      await writeFile(outputs['x.o'] ?? '', 'x');
      return ok();
    },
    ...extra,
  });

  test('that are the same share one execution', async () => {
    runs = 0;
    const engine = await engineFor();
    const results = await Promise.all([engine.run(spec()), engine.run(spec())]);
    expect(runs).toBe(1);
    expect(results[0]).toBe(results[1]);
    expect(engine.summary().executed).toEqual(['cc:x']);
  });

  test('that differ under one id are rejected', async () => {
    const engine = await engineFor();
    await engine.run(spec());
    expect(await engine.run(spec({arguments: {a: 1}}))).toMatchObject({
      ok: false,
      failure: {code: 'ACTION', details: 'arguments changed'},
    });
  });

  test.each<[string, Partial<ActionSpec>]>([
    ['no output', {outputs: []}],
    [
      'one output twice',
      {
        outputs: [
          {name: 'x', path: '/1'},
          {name: 'x', path: '/2'},
        ],
      },
    ],
    [
      'two outputs in one place',
      {
        outputs: [
          {name: 'x', path: '/1'},
          {name: 'y', path: '/1'},
        ],
      },
    ],
    ['an absolute name', {outputs: [{name: '/x', path: '/1'}]}],
  ])('with %s are rejected', async (_, extra) => {
    const engine = await engineFor();
    expect(await engine.run(spec(extra))).toMatchObject({ok: false, failure: {code: 'ACTION'}});
  });

  test('of two actions that write one path are rejected', async () => {
    const engine = await engineFor();
    await engine.run(spec());
    expect(await engine.run(spec({id: 'cc:y'}))).toMatchObject({
      ok: false,
      failure: {code: 'ACTION', message: `cc:y and cc:x both write ${output('x.o')}`},
    });
  });
});

describe('work in place', () => {
  const inPlace =
    (execute: ActionSpec['execute'], flavour = 1) =>
    (spec: ActionSpec): ActionSpec =>
      spec.id === 'cc:a' ? {...spec, storage: 'in-place', arguments: {flavour}, execute} : spec;
  const good: ActionSpec['execute'] = async ({outputs}) => {
    expect(outputs['a.o']).toBe(output('a.o'));
    await writeFile(output('a.o'), 'in place');
    return ok();
  };

  test('is done at the final path, and is fresh while that is unchanged', async () => {
    await build(toy, {}, inPlace(good));
    expect((await build(toy, {}, inPlace(good))).executed).toEqual([]);
    rmSync(output('a.o'));
    expect((await build(toy, {}, inPlace(good))).executed).toEqual(['cc:a']);
  });

  test('that failed is done again, even for the declaration that was good before', async () => {
    await build(toy, {}, inPlace(good));
    const bad = inPlace(() => Promise.resolve(fail('STAGE1', 'make failed')), 2);
    expect((await build(toy, {}, bad)).result).toMatchObject({ok: false, failure: {code: 'STAGE1'}});
    const {lines} = await build(toy, {}, inPlace(good));
    expect(lines).toContain('cc:a: executed: the last run did not finish');
    expect((await build(toy, {}, inPlace(good))).executed).toEqual([]);
  });
});
