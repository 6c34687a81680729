import {expect, test} from '@jest/globals';
import {failure} from '../../../../src/model/failure.js';
import {err, ok} from '../../../../src/model/result.js';
import {outcomeOf, VARIATIONS} from '../../../../src/release/reproduction/variations.js';

const NOISE = [
  'what a tool says',
  '{"type":"notice","time":1,"message":"n"}',
  '{"type":"error"',
  '{"type":7}',
];
const summary = (fields: object): string =>
  JSON.stringify({type: 'summary', time: 2, ok: true, wallMs: 1, ...fields});
const outcome = (lines: readonly string[], exitCode = 0) =>
  outcomeOf({stdout: [...NOISE, ...lines].join('\n'), stderr: 'the last words', exitCode});

test('a release that succeeded says where its archive is', () => {
  expect(outcome([summary({output: '/out.tar.gz'})])).toEqual(ok('/out.tar.gz'));
});

test('a release that failed fails as it did', () => {
  const failed = failure('LINK', 'cannot link', {details: 'ld: no'});
  const lines = [JSON.stringify({type: 'error', time: 1, failure: failed}), summary({output: null})];
  expect(outcome(lines, 1)).toEqual(err(failed));
});

test.each([
  ['prints nothing', [], 0],
  ['has an exit code, whatever its summary says', [summary({output: '/out'})], 9],
  ['names no archive', [summary({output: null})], 0],
  ['names an archive that is no path', [summary({output: 5})], 0],
  ['reports a code that does not exist', ['{"type":"error","failure":{"code":"toString","message":"m"}}'], 0],
  ['reports a failure without a message', ['{"type":"error","failure":{"code":"LINK"}}'], 0],
])('a release that %s failed', (_, lines, exitCode) => {
  expect(outcome(lines, exitCode)).toMatchObject({
    ok: false,
    failure: {code: 'PROCESS', details: 'the last words'},
  });
});

test('the two builds have nothing in common that can be different', () => {
  const [one, other] = VARIATIONS;
  expect(one.folder.length).not.toBe(other.folder.length);
  expect(one.umask).not.toBe(other.umask);
  expect(one.inNamespaces).not.toBe(other.inNamespaces);
  expect(one.fewerJobs).not.toBe(other.fewerJobs);
  for (const [name, value] of Object.entries(one.environment)) {
    expect(other.environment[name]).not.toBe(value);
  }
  // Year, month, day, hour, minute and second, from any moment.
  for (const start of ['2024-02-28T12:00:00Z', '2026-12-31T23:59:59Z', '2027-06-15T00:00:00Z'].map(
    Date.parse,
  )) {
    const dates = [start, start + other.ahead * 1000].map((time) =>
      new Date(time).toISOString().split(/[-T:.]/),
    );
    for (const part of [0, 1, 2, 3, 4, 5]) expect(dates[0]?.[part]).not.toBe(dates[1]?.[part]);
  }
});
