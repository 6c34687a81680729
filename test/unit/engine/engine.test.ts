import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {layoutOf} from '../../../src/cache/layout.js';
import {createEngine} from '../../../src/engine/engine.js';
import {localSlots} from '../../../src/exec/job-slots.js';
import {runProcess} from '../../../src/exec/process.js';
import type {ActionSpec} from '../../../src/model/action.js';
import {digestOf} from '../../../src/model/digest.js';
import {fail, ok} from '../../../src/model/result.js';
import {eventually, temporaryFolder, type TemporaryFolder} from '../exec/rig.js';
import {
  actualOutputs,
  build,
  compiled,
  expectedOutputs,
  makeToy,
  ofType,
  recorder,
  storeIn,
  type Toy,
} from './toys.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

let folder: TemporaryFolder;
let toy: Toy;
beforeEach(async () => {
  folder = temporaryFolder();
  toy = await makeToy(folder.path, {a: 'A1\n', b: 'B1\n', c: 'C1\n'});
});
afterEach(() => {
  folder.remove();
});

const ALL = ['cc:a', 'cc:b', 'cc:c', 'link:program'];
const source = (name: string): string => join(toy.sourceDir, name);
const output = (name: string): string => join(toy.buildDir, name);

/** Nothing but outputs and the engine's own files is in the build folder. */
function expectNoLeftovers(): void {
  const own = ['journal.json', 'sources.json', 'last-run.json', 'lock'];
  const outputs = ['a.o', 'b.o', 'c.o', 'program'];
  expect(readdirSync(toy.buildDir).filter((name) => ![...own, ...outputs].includes(name))).toEqual([]);
}

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
      'link:program: executed: output program was changed by someone',
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
    ['torn', '{"schema":1,"actions":{"cc:a":{"key":', /cannot be read and is ignored/],
    ['of another version', '{"schema":0,"actions":{}}', /is of another version and is ignored/],
  ])('a journal that is %s is ignored with a notice', async (_, text, message) => {
    await build(toy);
    writeFileSync(output('journal.json'), text);
    const {record, executed} = await build(toy);
    expect(ofType(record, 'notice').map((notice) => notice.message)).toEqual([
      expect.stringMatching(message),
    ]);
    expect(executed).toEqual(ALL);
  });

  test('strange entries in the journal are ignored', async () => {
    await build(toy);
    const journal = JSON.parse(readFileSync(output('journal.json'), 'utf8')) as {
      actions: Record<string, unknown>;
    };
    journal.actions['cc:a'] = null;
    journal.actions['cc:b'] = {key: 'x', record: 1};
    journal.actions['cc:c'] = {...(journal.actions['cc:c'] as object), outputs: {o: 7}};
    writeFileSync(output('journal.json'), JSON.stringify(journal));
    expect((await build(toy)).executed).toEqual(['cc:a', 'cc:b', 'cc:c']);
  });
});

describe('with a store', () => {
  test('a clean build folder is filled from it', async () => {
    const store = await storeIn(folder.at('store'));
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
    const store = await storeIn(folder.at('store'));
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
    const store = await storeIn(folder.at('store'));
    await build(toy, {store});
    writeFileSync(source('a'), 'A2\n');
    await build(toy, {store});
    writeFileSync(source('a'), 'A1\n');
    const {executed} = await build(toy, {store});
    expect(executed).toEqual([]);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });

  test('a damaged blob is told, the action runs again, and the store is healed', async () => {
    const store = await storeIn(folder.at('store'));
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
    const store = await storeIn(folder.at('store'));
    const other = await storeIn(folder.at('store'));
    const twin = {...toy, buildDir: folder.at('build2')};
    const built = await Promise.all([build(toy, {store}), build(twin, {store: other})]);
    expect(built.every(({result}) => result.ok)).toBe(true);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    expect(actualOutputs(twin)).toEqual(expectedOutputs(toy));
    expect(await store.verify()).toMatchObject({entries: 4, blobs: 4, damaged: [], incomplete: []});
  });

  test('a store that cannot be written costs a warning and nothing else', async () => {
    const store = await storeIn(folder.at('store'));
    for (const part of ['cas', 'ac', 'tmp']) {
      rmSync(folder.at('store', part), {recursive: true});
      writeFileSync(folder.at('store', part), '');
    }
    const {record, result} = await build(toy, {store});
    expect(result.ok).toBe(true);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    expect(ofType(record, 'warning').map(({message}) => message.split(':')[0])).toEqual([
      'the cache cannot be read and is left alone',
      'the cache cannot be written and is left alone',
    ]);
  });

  test('work in place never goes to it', async () => {
    const store = await storeIn(folder.at('store'));
    const inPlace = (spec: ActionSpec): ActionSpec => ({...spec, storage: 'in-place'});
    await build(toy, {store}, (spec) => (spec.id === 'link:program' ? spec : inPlace(spec)));
    expect((await store.stats()).entries).toBe(1);
  });
});

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

  test.each<[string, ActionSpec['execute'], string]>([
    ['writes nothing', () => Promise.resolve(ok()), 'cc:a did not write its output a.o'],
    [
      'throws',
      () => {
        throw new Error('oops');
      },
      'cc:a broke off: oops',
    ],
    ['rejects', () => Promise.reject(new Error('oops')), 'cc:a broke off: oops'],
  ])('because it %s breaks its contract', async (_, execute, message) => {
    const {result} = await build(toy, {}, (spec) => (spec.id === 'cc:a' ? {...spec, execute} : spec));
    expect(result).toMatchObject({ok: false, failure: {code: 'BUG', message}});
    expectNoLeftovers();
  });

  test('because a source changed under it is not kept', async () => {
    const store = await storeIn(folder.at('store'));
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

  test('because its output has no place names the path', async () => {
    writeFileSync(folder.at('file'), '');
    const path = folder.at('file', 'a.o');
    const {result} = await build(toy, {}, (spec) =>
      spec.id === 'cc:a' ? {...spec, outputs: [{name: 'a.o', path}]} : spec,
    );
    expect(result).toMatchObject({ok: false, failure: {code: 'IO'}});
    expect(result.ok ? '' : result.failure.message).toContain(folder.at('file'));
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

  test('that differ under one id are refused', async () => {
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
  ])('with %s are refused', async (_, extra) => {
    const engine = await engineFor();
    expect(await engine.run(spec(extra))).toMatchObject({ok: false, failure: {code: 'ACTION'}});
  });

  test('of two actions that write one place are refused', async () => {
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

  test('is done at the final place, and is fresh while that is unchanged', async () => {
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

describe('a dry run', () => {
  test('says what would run and changes nothing', async () => {
    await build(toy);
    writeFileSync(source('b'), 'B2\n');
    const before = readFileSync(output('journal.json'), 'utf8');
    const dry = await build(toy, {dryRun: true});
    expect(dry.result).toMatchObject({ok: true, value: {outcome: 'executed'}});
    expect(dry.lines.filter((line) => !line.includes('fresh'))).toEqual([
      'cc:b: executed: input b changed',
      'link:program: executed: input cc:b may change; because b changed',
    ]);
    const program = dry.result.ok ? dry.result.value.outputs['program'] : undefined;
    expect(program && dry.engine.isPending(program)).toBe(true);
    expect(ofType(dry.record, 'action-started')).toEqual([]);
    expect(readFileSync(output('b.o'), 'utf8')).toBe(compiled('B1\n'));
    expect(readFileSync(output('journal.json'), 'utf8')).toBe(before);
    const real = await build(toy);
    expect(real.executed).toEqual(dry.executed);
  });

  test('of a first build creates nothing at all', async () => {
    const {executed} = await build(toy, {dryRun: true});
    expect(executed).toEqual(ALL);
    expect(existsSync(toy.buildDir)).toBe(false);
  });

  test('knows what the store would give', async () => {
    const store = await storeIn(folder.at('store'));
    await build(toy, {store});
    rmSync(toy.buildDir, {recursive: true});
    const {lines} = await build(toy, {store, dryRun: true});
    expect(lines).toEqual(ALL.map((id) => `${id}: cached: result in the cache`));
    expect(existsSync(toy.buildDir)).toBe(false);
  });
});

describe('an abort', () => {
  test('ends what runs, starts nothing else, and the next build is right', async () => {
    const controller = new AbortController();
    const running = build(toy, {signal: controller.signal, jobs: localSlots(2)}, (spec) => ({
      ...spec,
      execute: async ({signal, outputs}) => {
        const file = Object.values(outputs)[0] ?? '';
        const script = `printf half > "$0"; touch "${folder.path}/started-${spec.id}"; sleep 100`;
        const environment = {PATH: process.env['PATH'] ?? ''};
        const ran = await runProcess({
          file: 'sh',
          args: ['-c', script, file],
          cwd: folder.path,
          environment,
          signal,
        });
        return ran.ok ? ok() : fail('CC', 'wrapped by the host');
      },
    }));
    expect(
      await eventually(() => existsSync(folder.at('started-cc:a')) && existsSync(folder.at('started-cc:b'))),
    ).toBe(true);
    controller.abort();
    const {result, engine, record} = await running;
    expect(result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    expect(engine.summary()).toEqual({
      counts: {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0},
      executed: [],
    });
    expect(ofType(record, 'action-started').map(({id}) => id)).toEqual(['cc:a', 'cc:b']);
    expect(
      ofType(record, 'action-failed')
        .map(({id}) => id)
        .sort(),
    ).toEqual(['cc:a', 'cc:b']);
    expectNoLeftovers();
    await build(toy);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });

  test('before the build lets nothing start', async () => {
    const {result, record} = await build(toy, {signal: AbortSignal.abort()});
    expect(result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    expect(record.events).toEqual([]);
  });
});

test('no more actions run at once than there are jobs, and what tools say is passed on', async () => {
  let now = 0;
  let most = 0;
  const {record} = await build(toy, {jobs: localSlots(2)}, (spec) => ({
    ...spec,
    execute: async (context) => {
      now += 1;
      most = Math.max(most, now);
      context.log(`compiling ${spec.id}`);
      await new Promise((wake) => setTimeout(wake, 10));
      now -= 1;
      return spec.execute(context);
    },
  }));
  expect(most).toBe(2);
  expect(
    ofType(record, 'tool-output')
      .map(({text}) => text)
      .sort(),
  ).toEqual(ALL.map((id) => `compiling ${id}`));
});

test('what a killed build left beside the outputs is removed', async () => {
  await build(toy);
  const prefix = `.flashfreeze-${digestOf(toy.buildDir).slice(0, 8)}-`;
  writeFileSync(output(`${prefix}dead`), '');
  writeFileSync(output('.flashfreeze-00000000-alive'), 'of a build in another folder');
  writeFileSync(source('a'), 'A2\n');
  await build(toy);
  expect(readdirSync(toy.buildDir).filter((name) => name.startsWith('.'))).toEqual([
    '.flashfreeze-00000000-alive',
  ]);
});
