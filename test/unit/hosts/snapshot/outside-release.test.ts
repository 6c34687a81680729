import {describe, expect, test} from '@jest/globals';
import {findOutsideRelease} from '../../../../src/hosts/snapshot/outside-release.js';
import type {ImportRead, RecordedImports} from '../../../../src/hosts/snapshot/recorded-imports.js';

const NOTHING: RecordedImports = {events: [], edges: new Map(), reads: [], times: new Map()};
const AT = '/opt/python';

function namesOf(recorded: Partial<RecordedImports>, known: readonly string[] = []): readonly string[] {
  const left = known.map((module) => ({module, reason: 'known'}));
  return findOutsideRelease({...NOTHING, ...recorded}, AT, left).map(
    ({module, reason}) => `${module}: ${reason}`,
  );
}

describe('a release leaves out a module that reads', () => {
  test.each<[ImportRead['kind'], string, string]>([
    ['fact', 'host', 'it reads the name of the host'],
    ['fact', 'cwd', 'it reads the working directory'],
    ['file', '/etc/mime.types', 'it reads /etc/mime.types, which is not a file of the release'],
    ['examined', '/opt/python2', 'it reads /opt/python2, which is not a file of the release'],
  ])('a %s: %s', (kind, name, reason) => {
    expect(namesOf({reads: [{kind, module: 'a', name}]})).toEqual([`a: ${reason}`]);
  });

  test('a clock, whether or not two processes differ', () => {
    const event = {kind: 'clock', module: 'a', file: '/a.py', line: 3, detail: 'time.time'} as const;
    expect(findOutsideRelease({...NOTHING, events: [event]}, AT, [])).toEqual([
      {module: 'a', reason: 'it reads a clock (time.time)', where: '/a.py:3'},
    ]);
  });
});

test('its own files and variables may be read, and what is renewed at each start', () => {
  expect(
    namesOf({
      reads: [
        {kind: 'file', module: 'a', name: `${AT}/lib/data.txt`},
        {kind: 'examined', module: 'a', name: AT},
        {kind: 'variable', module: 'a', name: 'X'},
        {kind: 'fact', module: 'multiprocessing.process', name: 'cwd'},
      ],
      events: [{kind: 'random', module: 'random', file: '', line: 0, detail: ''}],
    }),
  ).toEqual([]);
});

test('a module is named once, and not if it is left out already', () => {
  const reads = [
    {kind: 'fact', module: 'a', name: 'host'},
    {kind: 'fact', module: 'a', name: 'cpus'},
    {kind: 'fact', module: 'b', name: 'cpus'},
  ] as const;
  expect(namesOf({reads}, ['b'])).toEqual(['a: it reads the name of the host']);
});
