import {describe, expect, test} from '@jest/globals';
import type {RemoteCache} from '../../../../src/cache/remote/remote.js';
import type {Store} from '../../../../src/cache/store.js';
import {secrecyOf} from '../../../../src/engine/execution/secrecy.js';
import {createStoreAccess, type StoreAccess} from '../../../../src/engine/execution/store-access.js';
import {keyOf} from '../../../../src/engine/keys.js';
import type {Secrecy} from '../../../../src/model/action.js';
import type {ActionSpec} from '../../../../src/model/action-spec.js';
import {digestOf} from '../../../../src/model/digest.js';
import {fail, ok} from '../../../../src/model/result.js';
import {specOf, warningsOf} from '../parts.js';
import {ofType, recorder} from '../toys.js';

const spec = specOf('cc:a', {outputs: [{name: 'a.o', path: '/build/a.o'}]});
const key = keyOf(spec);
const output = {name: 'a.o', digest: digestOf('object'), size: 6, executable: false};
const record = {keyRecord: key.text, outputs: [output]};

/** Caches of which only these operations are expected. */
function access(
  store?: Partial<Store>,
  remote?: Partial<RemoteCache>,
): StoreAccess & {warnings: () => string[]} {
  const events = recorder();
  const made = createStoreAccess(store as Store | undefined, remote as RemoteCache | undefined, events);
  return {...made, warnings: () => warningsOf(events)};
}

test('without caches nothing is found, and nothing happens', async () => {
  const {get, put, offer, materialise, finish, warnings} = access();
  expect(await get(spec, key)).toBeUndefined();
  await put(spec, key, record, {});
  offer(spec, key, record, {});
  expect(await materialise(key, output, 'cached', '/build/a.o')).toEqual(ok(false));
  await finish();
  expect(warnings()).toEqual([]);
});

test('the local cache goes first; the remote one is asked for what it lacks', async () => {
  let local: typeof record | undefined = record;
  const asked: unknown[] = [];
  const {get, warnings} = access(
    {get: () => Promise.resolve(ok({record: local, warnings: local === undefined ? ['damaged'] : []}))},
    {
      get(...question) {
        asked.push(question);
        return Promise.resolve(record);
      },
    },
  );
  expect(await get(spec, key)).toEqual({record, origin: 'cached'});
  expect(asked).toEqual([]);
  local = undefined;
  expect(await get(spec, key)).toEqual({record, origin: 'remote'});
  expect(asked).toEqual([[key.key, key.text]]);
  expect(warnings()).toEqual(['damaged']);
});

test('a result without a declared output is no result', async () => {
  const poor = {keyRecord: key.text, outputs: []};
  const {get} = access(
    {get: () => Promise.resolve(ok({record: poor, warnings: []}))},
    {get: () => Promise.resolve(poor)},
  );
  expect(await get(spec, key)).toBeUndefined();
});

test('a cache that cannot be read or written is not tried again, with one warning for each', async () => {
  let calls = 0;
  const broken = (): Promise<ReturnType<typeof fail>> => {
    calls += 1;
    return Promise.resolve(fail('IO', 'disk on fire'));
  };
  const {get, put, materialise, warnings} = access({get: broken, put: broken, materialise: broken});
  for (let i = 0; i < 2; i += 1) {
    expect(await get(spec, key)).toBeUndefined();
    await put(spec, key, record, {});
    // The store cannot be read, so it is not asked for files either.
    expect(await materialise(key, output, 'cached', '/build/a.o')).toEqual(ok(false));
  }
  expect(calls).toBe(2);
  expect(warnings()).toEqual([
    'the cache cannot be read and is not used: disk on fire',
    'the cache cannot be written and is not used: disk on fire',
  ]);
});

test.each<[string, boolean, 'cached' | 'remote', string[], boolean]>([
  ['is there', true, 'remote', [], true],
  ['is missing, and the result came from the remote cache', false, 'remote', ['/build/a.o'], true],
  ['is missing, and the result came from the local cache', false, 'cached', [], false],
])('a file that %s', async (_, hit, origin, downloads, expected) => {
  const downloaded: string[] = [];
  const {materialise, warnings} = access(
    {materialise: () => Promise.resolve(ok({hit, warnings: hit ? [] : ['removed']}))},
    {
      download(_key, _output, path) {
        downloaded.push(path);
        return Promise.resolve(ok(true));
      },
    },
  );
  expect(await materialise(key, output, origin, '/build/a.o')).toEqual(ok(expected));
  expect(downloaded).toEqual(downloads);
  expect(warnings()).toEqual(hit ? [] : ['removed']);
});

test('a place that cannot be written is a failure of the action, not of the cache', async () => {
  const {materialise, warnings} = access({
    materialise: () => Promise.resolve(fail('IO', 'cannot write /build/a.o')),
  });
  const result = await materialise(key, output, 'cached', '/build/a.o');
  expect(result).toEqual(fail('IO', 'cannot write /build/a.o'));
  expect(warnings()).toEqual([]);
});

test('new results are offered to the remote cache, whose uploads are waited for', async () => {
  const calls: unknown[] = [];
  const {offer, finish} = access(undefined, {
    uploads: true,
    offer: (...given) => void calls.push(given),
    finish: () => Promise.resolve(void calls.push('finished')),
  });
  offer(spec, key, record, {'a.o': '/build/a.o'});
  await finish();
  expect(calls).toEqual([[key.key, record, {'a.o': '/build/a.o'}], 'finished']);
});

describe('what others may not read', () => {
  const secret = specOf('cc:a', {
    outputs: spec.outputs,
    inputs: [{name: 'a.py', path: '/a.py', digest: digestOf('a'), secrecy: 'private'}],
  });
  const traced = specOf('index:snippets', {outputs: spec.outputs, secrecy: 'local'});

  /** What is stored and uploaded of an action, and the notices at the end. */
  async function shared(
    action: ActionSpec,
    {isShared, uploads}: {readonly isShared: boolean; readonly uploads: boolean},
    sharePrivate = false,
  ): Promise<{readonly calls: string[]; readonly notices: string[]}> {
    const calls: string[] = [];
    const store: Partial<Store> = {
      isShared,
      put() {
        calls.push('store');
        return Promise.resolve(ok());
      },
    };
    const remote: Partial<RemoteCache> = {
      uploads,
      offer() {
        calls.push('remote');
      },
      finish: () => Promise.resolve(),
    };
    const events = recorder();
    const made = createStoreAccess(store as Store, remote as RemoteCache, events, sharePrivate);
    await made.put(action, key, record, {});
    made.offer(action, key, record, {});
    await made.finish();
    return {calls, notices: ofType(events, 'notice').map(({message}) => message)};
  }

  test.each([secret, traced])(
    'is stored where only this user can reach it, and not uploaded',
    async (action) => {
      expect((await shared(action, {isShared: false, uploads: true})).calls).toEqual(['store']);
      expect((await shared(action, {isShared: true, uploads: true})).calls).toEqual([]);
    },
  );

  test('is shared when asked for', async () => {
    const {calls, notices} = await shared(secret, {isShared: true, uploads: true}, true);
    expect([calls, notices]).toEqual([['store', 'remote'], []]);
  });

  test('is said, if it is sources, and if somebody might miss it', async () => {
    const {notices} = await shared(secret, {isShared: true, uploads: false});
    expect(notices).toEqual([
      'results of 1 actions are made from files that other users may not read, and are not put into the shared cache (--share-private does it)',
    ]);
    expect((await shared(secret, {isShared: false, uploads: false})).notices).toEqual([]);
    expect((await shared(traced, {isShared: true, uploads: true})).notices).toEqual([]);
  });

  test('what everybody may read is shared', async () => {
    expect((await shared(spec, {isShared: true, uploads: true})).calls).toEqual(['store', 'remote']);
  });
});

test('what is made from several inputs is as secret as the most secret one', () => {
  const input = {name: 'x', path: '/x', digest: digestOf('x')};
  const all = (...kinds: (Secrecy | undefined)[]) =>
    secrecyOf({inputs: kinds.map((secrecy) => ({...input, ...(secrecy === undefined ? {} : {secrecy})}))});
  expect(all(undefined, undefined)).toBeUndefined();
  expect(all(undefined, 'local')).toBe('local');
  expect(all('local', 'private', undefined)).toBe('private');
  expect(secrecyOf({secrecy: 'private', inputs: []})).toBe('private');
});
