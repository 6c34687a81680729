import {existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, jest, test} from '@jest/globals';
import {JOURNAL} from '../../../src/engine/records/journal.js';
import {localSlots} from '../../../src/exec/job-slots.js';
import {runProcess} from '../../../src/exec/process.js';
import {fail, ok} from '../../../src/model/result.js';
import {eventually} from '../../support/processes.js';
import {ALL, expectNoLeftovers, folder, output, source, toy} from './toy-folder.js';
import {actualOutputs, build, compiled, expectedOutputs, ofType, storeIn} from './toys.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

describe('a dry run', () => {
  test('says what would run and changes nothing', async () => {
    await build(toy);
    writeFileSync(source('b'), 'B2\n');
    const before = readFileSync(output(JOURNAL), 'utf8');
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
    expect(readFileSync(output(JOURNAL), 'utf8')).toBe(before);
    const real = await build(toy);
    expect(real.executed).toEqual(dry.executed);
  });

  test('of a first build creates nothing at all', async () => {
    const {executed} = await build(toy, {dryRun: true});
    expect(executed).toEqual(ALL);
    expect(existsSync(toy.buildDir)).toBe(false);
  });

  test('knows what the store has', async () => {
    const store = await storeIn(join(folder, 'store'));
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
        const script = `printf half > "$0"; touch "${folder}/started-${spec.id}"; sleep 100`;
        const environment = {PATH: process.env['PATH'] ?? ''};
        const ran = await runProcess({
          file: 'sh',
          args: ['-c', script, file],
          cwd: folder,
          environment,
          signal,
        });
        return ran.ok ? ok() : fail('CC', 'wrapped by the host');
      },
    }));
    expect(
      await eventually(
        () => existsSync(join(folder, 'started-cc:a')) && existsSync(join(folder, 'started-cc:b')),
      ),
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

  test('before the build prevents all actions', async () => {
    const {result, record} = await build(toy, {signal: AbortSignal.abort()});
    expect(result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    expect(record.events).toEqual([]);
  });
});

test('no more actions run at once than there are jobs, and tool output is passed on', async () => {
  let now = 0;
  let most = 0;
  const {record} = await build(toy, {jobs: localSlots(2)}, (spec) => ({
    ...spec,
    execute: async (context) => {
      now += 1;
      most = Math.max(most, now);
      context.log(`compiling ${spec.id}`);
      expect(await eventually(() => most >= 2)).toBe(true);
      // One too many would begin now.
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

test('leftovers of a killed build are removed', async () => {
  await build(toy);
  writeFileSync(output('.flashfreeze-own-dead'), '');
  writeFileSync(output('.flashfreeze-00000000-alive'), 'of a build in another folder');
  writeFileSync(source('a'), 'A2\n');
  await build(toy);
  expect(readdirSync(toy.buildDir).filter((name) => name.startsWith('.'))).toEqual([
    '.flashfreeze-00000000-alive',
  ]);
});
