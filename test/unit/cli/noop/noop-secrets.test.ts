import {expect, test} from '@jest/globals';
import {withoutSecrets} from '../../../../src/cli/noop/recorder.js';

test.each([
  ['https://user:password@cache.example.org/python', 'https://cache.example.org/python'],
  ['http://user:p%40ss@10.0.0.1:80', 'http://10.0.0.1:80'],
  ['http://token@host', 'http://host'],
  ['http://a:b@c@host/x', 'http://host/x'],
  ['https://cache.example.org/a@b', 'https://cache.example.org/a@b'],
])('a memo of a run with --remote-cache %s holds no password', (given, kept) => {
  expect(withoutSecrets({'remote-cache': given, jobs: 2})).toEqual({'remote-cache': kept, jobs: 2});
});
