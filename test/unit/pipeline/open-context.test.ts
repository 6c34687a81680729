import {generateKeyPairSync} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {cacheLimits, openRemoteCache, type RemoteCacheSettings} from '../../../src/pipeline/open-context.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {ofType, recorder} from '../engine/toys.js';

const {signal} = new AbortController();
const url = 'http://127.0.0.1:9/python';
const from = (settings: RemoteCacheSettings, environment: Readonly<Record<string, string>> = {}) =>
  openRemoteCache(settings, environment, recorder(), signal);

describe('a remote cache', () => {
  test('is used when requested', async () => {
    expect(await from({})).toEqual({ok: true, value: undefined});
    expect(await from({remoteCache: url})).toMatchObject({ok: true, value: {get: expect.any(Function)}});
    const record = recorder();
    const empty = {FLASHFREEZE_CACHE_KEY: ''};
    expect(await openRemoteCache({remoteCache: url}, empty, record, signal)).toEqual({
      ok: true,
      value: undefined,
    });
    expect(ofType(record, 'warning')).toHaveLength(1);
  });

  test('that is invalid is a usage error', async () => {
    expect(await from({remoteUpload: true})).toMatchObject({ok: false, failure: {code: 'USAGE'}});
    expect(await from({remoteCache: 'cache'})).toMatchObject({ok: false, failure: {code: 'CONFIG'}});
    expect(await from({remoteCache: url, remoteKey: '/no/such/key'})).toMatchObject({
      ok: false,
      failure: {code: 'CONFIG'},
    });
  });

  test('accepts uploads only with a key that can sign, if there is one', async () => {
    const folder = temporaryDirectory();
    const {publicKey} = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'public.pem'), publicKey.export({type: 'spki', format: 'pem'}));
    const options = {remoteCache: url, remoteKey: join(folder, 'public.pem')};
    expect(await from(options)).toMatchObject({ok: true});
    expect(await from({...options, remoteUpload: true})).toMatchObject({
      ok: false,
      failure: {code: 'CONFIG'},
    });
    expect(
      await from({...options, remoteUpload: true}, {FLASHFREEZE_CACHE_KEY: 'secret'.repeat(6)}),
    ).toMatchObject({
      ok: true,
    });
  });
});

test('the limits of the local cache are in megabytes and days', () => {
  expect(cacheLimits({})).toEqual({maxBytes: 2_000_000_000, maxAgeDays: 30});
  expect(cacheLimits({cacheMaxSize: 5, cacheMaxAge: 2})).toEqual({maxBytes: 5_000_000, maxAgeDays: 2});
});
