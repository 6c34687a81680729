import {describe, expect, test} from '@jest/globals';
import {HUNDRED} from '../../conformance/hundred.js';
import {differences, tally} from '../../support/compare-suites.js';
import {type SuiteResults, caseOutcomes, fileOf, fileOutcomes} from '../../support/cpython-suite.js';

/** As runners of 3.10 to 3.15 print them. */
const PRINTED = `
== CPU count: 2
0:00:00 load avg: 1.50 Run 480 tests in parallel using 2 worker processes
0:00:01 load avg: 1.50 [  1/480] test.test_asyncio.test_context passed
0:00:02 load avg: 1.50 [  2/480] test_json passed -- running (1): test_ssl (38.4 sec)
0:09:51 load avg: 5.06 [380/480/1] test_subprocess failed (4 errors) -- running (1): test_ssl (38.4 sec)
0:09:52 load avg: 5.06 [381/480/2] test_gdb crashed (Exit code -11 (SIGSEGV))
0:09:53 load avg: 5.06 [382/480/3] test_x worker non-zero exit code (Exit code 1)
0:09:54 [383/480/3] test_y skipped (resource denied)
0:09:55 load avg: 5.06 [384/480/3] test_z passed (1 min 2 sec)
0:09:56 load avg: 5.06 [385/480/3] test_w failed (env changed) (1 min 2 sec)
test_y skipped -- Use of the 'gui' resource not enabled
`;

test('the result of each file', () => {
  expect(fileOutcomes(PRINTED)).toEqual({
    'test.test_asyncio.test_context': 'passed',
    test_json: 'passed',
    test_subprocess: 'failed',
    test_gdb: 'crashed',
    test_x: 'worker non-zero exit code',
    test_y: 'skipped',
    test_z: 'passed',
    test_w: 'failed',
  });
});

test('the worst result of each test case', () => {
  const report = `<testsuites><testsuite>
    <testcase name="test.test_a.A.one" time="0.1" /><testcase name="test.test_a.A.two"><skipped>no</skipped></testcase>
    <testcase name="test.test_a.A.three"><failure type="x">text</failure></testcase>
    <testcase name="test.test_a.A.one"><error>text</error></testcase><testcase name="test.test_a.A.three" />
    </testsuite></testsuites>`;
  expect(caseOutcomes(report)).toEqual({
    'test.test_a.A.one': 'failed',
    'test.test_a.A.two': 'skipped',
    'test.test_a.A.three': 'failed',
  });
});

test('the file of a test case', () => {
  const files = ['test_json', 'test.test_asyncio.test_events'];
  expect(fileOf('test.test_json.test_decode.TestDecode.test_x', files)).toBe('test_json');
  expect(fileOf('test.test_asyncio.test_events.A.b', files)).toBe('test.test_asyncio.test_events');
  expect(fileOf('difflib.Differ', files)).toBeUndefined();
});

describe('the comparison', () => {
  const results = (
    files: Record<string, string>,
    cases: SuiteResults['cases'],
    failures: string[] = [],
  ): SuiteResults => ({
    ...{files, cases, failures, seconds: 1},
  });
  const expected = results(
    {test_a: 'passed', test_b: 'failed', test_c: 'passed'},
    {'test.test_a.A.x': 'passed', 'test.test_a.A.y': 'skipped', 'test.test_c.C.z': 'passed'},
    ['x (test.test_b.B.x) (subtest=1)'],
  );

  test('finds neither equal results nor improvements', () => {
    expect(differences(expected, expected, [])).toEqual([]);
    const better = results(
      {...expected.files, test_b: 'passed'},
      {...expected.cases, 'test.test_a.A.y': 'passed'},
    );
    expect(differences(expected, better, [])).toEqual([]);
  });

  test('finds a crash, a missing file, a case that is skipped or did not run, another subtest', () => {
    const worse = results(
      {test_a: 'crashed', test_b: 'failed'},
      {'test.test_a.A.x': 'skipped', 'test.test_a.A.y': 'skipped'},
      ['x (test.test_b.B.x) (subtest=1)', 'x (test.test_b.B.x) (subtest=2)'],
    );
    const found = differences(expected, worse, [{name: 'test_c', reason: 'gone'}]);
    expect(found.map(({kind, name, frozen, file, known}) => [kind, name, frozen, file, known])).toEqual([
      ['file', 'test_a', 'crashed', 'test_a', undefined],
      ['file', 'test_c', 'did not run', 'test_c', 'gone'],
      ['case', 'test.test_a.A.x', 'skipped', 'test_a', undefined],
      ['case', 'test.test_c.C.z', 'did not run', undefined, undefined],
      ['failure', 'x (test.test_b.B.x) (subtest=2)', 'failed', 'test_b', undefined],
    ]);
  });

  test('counts', () => {
    expect(tally(expected.files)).toBe('2 passed, 1 failed');
  });
});

test('the list has one hundred files', () => {
  expect(new Set(HUNDRED).size).toBe(100);
});
