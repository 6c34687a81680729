import {chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {beforeEach, describe, expect, test} from '@jest/globals';
import type {RemoteCache} from '../../../../src/cache/remote/remote.js';
import {explainWhy} from '../../../../src/engine/causes.js';
import {createPerformer, type Performer} from '../../../../src/engine/execution/perform.js';
import {createStoreAccess} from '../../../../src/engine/execution/store-access.js';
import {keyOf} from '../../../../src/engine/keys.js';
import {type JobSlots, localSlots} from '../../../../src/exec/job-slots.js';
import type {Sources} from '../../../../src/engine/source-digests.js';
import type {ActionId} from '../../../../src/model/action.js';
import type {ActionSpec} from '../../../../src/model/action-spec.js';
import {digestOf} from '../../../../src/model/digest.js';
import {fail, ok} from '../../../../src/model/result.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {entryOf, MemoryJournal, specOf} from '../parts.js';
import {recorder, storeIn} from '../toys.js';

const why = explainWhy('2026-01-02T03:04:05.000Z', [{text: 'first build'}], () => undefined);
let folder: string;
let journal: MemoryJournal;
let events: ReturnType<typeof recorder>;
let restored: ActionId[];
let begun: ActionId[];
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
  journal = new MemoryJournal();
  events = recorder();
  restored = [];
  begun = [];
});

interface Setting {
  readonly store?: Awaited<ReturnType<typeof storeIn>>;
  readonly remote?: Partial<RemoteCache>;
  readonly signal?: AbortSignal;
  /** Whether a source may have changed since it was read. */
  readonly mayHaveChanged?: boolean;
  readonly jobs?: JobSlots;
}
function performer({store, remote, signal, jobs, mayHaveChanged = false}: Setting = {}): Performer {
  return createPerformer({
    buildDir: folder,
    events,
    signal: signal ?? new AbortController().signal,
    journal,
    sources: {mayHaveChanged: () => mayHaveChanged} as unknown as Sources,
    store: createStoreAccess(store, remote as RemoteCache | undefined, events),
    jobs: jobs ?? localSlots(1),
    onRestore: (id) => void restored.push(id),
    onExecute: (id) => void begun.push(id),
    onExecuted: () => undefined,
  });
}

/** An action that writes a text to its output. */
function writing(text: string, change: Partial<ActionSpec> = {}): ActionSpec {
  return specOf('cc:a', {
    outputs: [{name: 'a.o', path: at('a.o')}],
    execute({outputs}) {
      writeFileSync(outputs['a.o'] ?? '', text);
      return Promise.resolve(ok());
    },
    ...change,
  });
}
const execute = (spec: ActionSpec, setting?: Setting) => performer(setting).execute(spec, keyOf(spec), why);
const stored = (text: string) => ({
  name: 'a.o',
  digest: digestOf(text),
  size: text.length,
  executable: false,
});

describe('slots', () => {
  /** One slot that is taken until `free` is called. */
  function taken(): {jobs: JobSlots; free: () => void} {
    const jobs = localSlots(1);
    let free = (): void => undefined;
    void jobs.run(
      () =>
        new Promise<void>((resolve) => {
          free = resolve;
        }),
    );
    return {
      jobs,
      free: () => {
        free();
      },
    };
  }

  test('an action that works in this process needs none', async () => {
    const {jobs} = taken();
    expect(await execute(writing('object', {inProcess: true}), {jobs})).toMatchObject({ok: true});
    expect(begun).toEqual(['cc:a']);
  });

  test('one that starts processes waits for one, and does not start after an abort', async () => {
    const {jobs, free} = taken();
    const abort = new AbortController();
    const done = execute(writing('object'), {jobs, signal: abort.signal});
    await setImmediate();
    expect(begun).toEqual([]);
    abort.abort();
    free();
    expect(await done).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    expect(begun).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a slot is free again while the outputs of its action are stored', async () => {
    const jobs = localSlots(1);
    const store = await storeIn(at('cache'));
    const busy: typeof store = {
      ...store,
      put: async (...result) => {
        await jobs.run(() => Promise.resolve());
        return store.put(...result);
      },
    };
    expect(await execute(writing('object'), {jobs, store: busy})).toMatchObject({ok: true});
  });
});

describe('execute', () => {
  test('puts the output into place, and records it with its reason', async () => {
    const spec = writing('object');
    const outputs = {'a.o': digestOf('object')};
    expect(await execute(spec)).toEqual(ok({outcome: 'executed', outputs, bytes: 6}));
    expect(readdirSync(folder)).toEqual(['a.o']);
    expect(statSync(at('a.o')).mode & 0o777).toBe(0o644);
    expect(journal.get('cc:a')).toMatchObject({
      key: keyOf(spec).key,
      outputs: {'a.o': {digest: digestOf('object')}},
      account: {outcome: 'executed', causes: [{text: 'first build'}]},
    });
    expect(journal.get('cc:a')?.account).not.toHaveProperty('sameOutputs');
  });

  test('says in the account that the outputs came out as before', async () => {
    await execute(writing('object'));
    await execute(writing('object', {arguments: 2}));
    expect(journal.get('cc:a')?.account?.sameOutputs).toBe(true);
  });

  test('keeps the result in the store, and offers it', async () => {
    const store = await storeIn(at('store'));
    const offered: unknown[] = [];
    const spec = writing('object');
    await execute(spec, {store, remote: {uploads: true, offer: (...given) => void offered.push(given)}});
    const {key, text} = keyOf(spec);
    const record = {keyRecord: text, outputs: [stored('object')]};
    expect(await store.get(key)).toEqual(ok({record, warnings: []}));
    expect(offered).toEqual([[key, record, {'a.o': at('a.o')}]]);
  });

  test('passes on what the action says', async () => {
    await execute(
      writing('', {
        execute({log}) {
          log('a warning\n');
          return Promise.resolve(fail('CC', 'no'));
        },
      }),
    );
    expect(events.events).toEqual([{type: 'tool-output', id: 'cc:a', text: 'a warning\n'}]);
  });

  test.each<[string, ActionSpec['execute'], object]>([
    [
      'a failure',
      () => Promise.resolve(fail('CC', 'does not compile')),
      {code: 'CC', message: 'does not compile'},
    ],
    [
      'an exception',
      () => Promise.reject(new Error('oops')),
      {
        code: 'BUG',
        message: 'internal error in cc:a: oops',
        details: expect.stringContaining('perform.test'),
      },
    ],
    ['an output that is not written', () => Promise.resolve(ok()), {code: 'ACTION'}],
  ])('after %s, the last good output stays', async (_, act, failed) => {
    await execute(writing('good'));
    const before = journal.get('cc:a');
    const result = await execute(writing('', {execute: act}));
    expect(result).toMatchObject({ok: false, failure: failed});
    expect(readFileSync(at('a.o'), 'utf8')).toBe('good');
    expect(journal.get('cc:a')).toBe(before);
    expect(readdirSync(folder)).toEqual(['a.o']);
  });

  test('a failure after an abort is an interruption', async () => {
    const abort = new AbortController();
    const act = (): Promise<ReturnType<typeof fail>> => {
      abort.abort();
      return Promise.resolve(fail('CC', 'killed'));
    };
    const result = await execute(writing('', {execute: act}), {signal: abort.signal});
    expect(result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
  });

  test.each([
    ['changed', true, 'another', false],
    ['is as it was', true, 'source', true],
    ['cannot have changed', false, 'another', true],
  ])('a source that %s while the action ran', async (_, mayHaveChanged, now, succeeds) => {
    writeFileSync(at('a.c'), now);
    const input = {name: 'a.c', path: at('a.c'), digest: digestOf('source')};
    const result = await execute(writing('object', {inputs: [input]}), {mayHaveChanged});
    expect(result).toMatchObject(
      succeeds
        ? {ok: true}
        : {ok: false, failure: {code: 'ACTION', message: 'a.c changed while cc:a was running'}},
    );
    expect(existsSync(at('a.o'))).toBe(succeeds);
  });
});

describe('execute in place', () => {
  const inPlace = (change: Partial<ActionSpec> = {}): ActionSpec =>
    writing('object', {storage: 'in-place', ...change});

  test('works on the final path, and keeps nothing in the store', async () => {
    const store = await storeIn(at('store'));
    let worked: unknown;
    const spec = inPlace({
      outputs: [{name: 'a.o', path: at('sub/a.o')}],
      execute({outputs}) {
        worked = outputs;
        writeFileSync(outputs['a.o'] ?? '', 'object');
        return Promise.resolve(ok());
      },
    });
    expect(await execute(spec, {store})).toMatchObject({ok: true, value: {outcome: 'executed'}});
    expect(worked).toEqual({'a.o': at('sub/a.o')});
    expect(await store.get(keyOf(spec).key)).toMatchObject({ok: true, value: {record: undefined}});
  });

  test('the journal says that work is going on before it starts', async () => {
    journal.set('cc:a', entryOf({contents: {'a.o': 'old'}}));
    let during: unknown;
    const spec = inPlace({
      execute() {
        during = [journal.saves, journal.get('cc:a')?.unfinished];
        return Promise.resolve(fail('STAGE1', 'make failed'));
      },
    });
    await execute(spec);
    expect(during).toEqual([1, true]);
    expect(journal.get('cc:a')?.unfinished).toBe(true);
    await execute(inPlace());
    expect(journal.get('cc:a')).not.toHaveProperty('unfinished');
  });

  test('an executable has to be one', async () => {
    const spec = inPlace({outputs: [{name: 'a.o', path: at('a.o'), executable: true}]});
    expect(await execute(spec)).toMatchObject({
      ok: false,
      failure: {code: 'ACTION', message: 'cc:a did not make its output a.o executable'},
    });
    chmodSync(at('a.o'), 0o755);
    expect(await execute(spec)).toMatchObject({ok: true});
  });
});

describe('restore', () => {
  const restore = (text: string, setting: Setting, origin: 'cached' | 'remote' = 'cached') => {
    const spec = writing('');
    const key = keyOf(spec);
    const record = {keyRecord: key.text, outputs: [stored(text)]};
    return performer(setting).restore(spec, key, why, {record, origin});
  };
  const download: RemoteCache['download'] = (_key, _output, path) => {
    writeFileSync(path, 'object');
    return Promise.resolve(ok(true));
  };

  test('copies an output of the store into place', async () => {
    const store = await storeIn(at('store'));
    writeFileSync(at('made'), 'object');
    const {key, text} = keyOf(writing(''));
    await store.put(key, {keyRecord: text, outputs: [stored('object')]}, {'a.o': at('made')});
    expect(await restore('object', {store})).toMatchObject({ok: true, value: {outcome: 'cached', bytes: 6}});
    expect(readFileSync(at('a.o'), 'utf8')).toBe('object');
    expect(journal.get('cc:a')?.account?.outcome).toBe('cached');
    expect(restored).toEqual(['cc:a']);
  });

  test('leaves an output that is as it should be, and asks nobody for it', async () => {
    writeFileSync(at('a.o'), 'object');
    const before = statSync(at('a.o'), {bigint: true}).ino;
    expect(await restore('object', {})).toMatchObject({ok: true, value: {outcome: 'cached'}});
    expect(statSync(at('a.o'), {bigint: true}).ino).toBe(before);
  });

  test('what comes from the remote cache goes to the local one', async () => {
    const store = await storeIn(at('store'));
    const result = await restore('object', {store, remote: {download}}, 'remote');
    expect(result).toMatchObject({ok: true, value: {outcome: 'remote'}});
    expect(await store.get(keyOf(writing('')).key)).toMatchObject({
      value: {record: {outputs: [{name: 'a.o', digest: digestOf('object')}]}},
    });
  });

  test('a file that is gone from the cache is no failure: the action has to run', async () => {
    writeFileSync(at('a.o'), 'old');
    const store = await storeIn(at('store'));
    expect(await restore('object', {store})).toEqual(ok(undefined));
    expect(readFileSync(at('a.o'), 'utf8')).toBe('old');
    expect(journal.get('cc:a')).toBeUndefined();
  });
});
