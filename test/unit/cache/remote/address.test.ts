import {expect, test} from '@jest/globals';
import {parseAddress} from '../../../../src/cache/remote/address.js';

test.each([
  ['http://cache:8080', 'http://cache:8080', undefined],
  ['https://cache.example.org/', 'https://cache.example.org', undefined],
  ['https://cache.example.org/team/python//', 'https://cache.example.org/team/python', undefined],
  ['HTTPS://Cache.Example.ORG:443/A', 'https://cache.example.org/A', undefined],
  ['http://[::1]:9090/x', 'http://[::1]:9090/x', undefined],
  ['https://user@cache/', 'https://cache', 'user:'],
  ['https://user:word@cache/a', 'https://cache/a', 'user:word'],
  ['https://us%40er:p%3Aw%2F@cache/', 'https://cache', 'us@er:p:w/'],
  // What is no encoding is taken as it is written.
  ['https://user:100%@cache/', 'https://cache', 'user:100%'],
])('%s', (text, base, credentials) => {
  const authorization =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
  expect(parseAddress(text)).toEqual({ok: true, value: {kind: 'http', base, authorization}});
});

test.each([
  ['grpc://cache:8980', 'grpc://cache:8980', false, 'cache:8980', ''],
  ['grpc://cache', 'grpc://cache', false, 'cache:80', ''],
  ['grpcs://Cache.Example.ORG/', 'grpcs://cache.example.org', true, 'cache.example.org:443', ''],
  ['grpcs://cache:443/a%20b/c/', 'grpcs://cache/a%20b/c', true, 'cache:443', 'a b/c'],
  ['GRPC://[::1]:9090/x', 'grpc://[::1]:9090/x', false, '[::1]:9090', 'x'],
])('%s', (text, base, isEncrypted, target, instance) => {
  expect(parseAddress(text)).toEqual({
    ok: true,
    value: {kind: 'grpc', base, authorization: undefined, isEncrypted, target, instance},
  });
});

test.each([
  ['grpc://', 'is not a URL'],
  ['grpc:cache:80', 'is not a URL'],
  ['grpc:///instance', 'is not a URL'],
  ['grpcs://cache/a/blobs/b', 'has an invalid instance name'],
  ['grpcs://cache/a//b', 'has an invalid instance name'],
  ['grpcs://user:secret@cache/uploads', 'has an invalid instance name'],
  ['grpcs://cache?a=secret', 'must not have a query or a fragment'],
  ['constructor://secret', 'unsupported protocol'],
  ['', 'is not a URL'],
  ['cache.example.org/python', 'is not a URL'],
  ['http://', 'is not a URL'],
  ['ftp://cache/', 'unsupported protocol ftp:'],
  ['file:///cache', 'unsupported protocol file:'],
  ['https://cache/?token=secret', 'must not have a query or a fragment'],
  ['https://cache/#part', 'must not have a query or a fragment'],
  ['http://user:12/secret@cache', 'has an @ in its path'],
])('%j is rejected, and no part of it repeated', (text, why) => {
  const parsed = parseAddress(text);
  expect(parsed).toMatchObject({ok: false, failure: {code: 'CONFIG', message: expect.stringContaining(why)}});
  expect(JSON.stringify(parsed)).not.toContain('secret');
});
