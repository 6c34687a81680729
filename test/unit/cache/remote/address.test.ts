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
