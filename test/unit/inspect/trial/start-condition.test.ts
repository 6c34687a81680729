import {mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {
  conditionEnvironment,
  conditionWords,
  filesOfStart,
  makeBytecodePlaces,
  type StartCondition,
} from '../../../../src/inspect/trial/start-condition.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const PLACES = {filled: '/f', empty: '/e'};

test.each<[StartCondition, string[], string[]]>([
  ['warm', [], ['-X', 'pycache_prefix=/f']],
  ['cold', ['-I'], ['-X', 'pycache_prefix=/f', '-I']],
  ['no bytecode', ['-X', 'dev'], ['-B', '-X', 'pycache_prefix=/e', '-X', 'dev']],
  // The user's own word on bytecode would leave nothing to compare.
  ['warm', ['-sB', '-B'], ['-X', 'pycache_prefix=/f', '-s']],
])('the command line: %s with %j', (condition, options, expected) => {
  const command = {options, program: {kind: 'module', name: 'm'} as const, arguments: ['-B']};
  const words = conditionWords({python: '/p', command}, condition, PLACES);
  expect(words).toEqual(['/p', ...expected, '-m', 'm', '-B']);
});

test('the environment', () => {
  const user = {PYTHONDONTWRITEBYTECODE: '1', PYTHONPYCACHEPREFIX: '/own', A: 'a'};
  expect(conditionEnvironment(user, 'warm', PLACES)).toEqual({PYTHONPYCACHEPREFIX: '/f', A: 'a'});
  expect(conditionEnvironment({A: 'a'}, 'no bytecode', PLACES)).toEqual({
    ...{PYTHONPYCACHEPREFIX: '/e', PYTHONDONTWRITEBYTECODE: '1', A: 'a'},
  });
});

test('the files of a start: its bytecode, and what lies beside the sources', async () => {
  const root = temporaryDirectory('start-condition');
  const library = join(root, 'library');
  mkdirSync(join(library, 'lib-dynload'), {recursive: true});
  for (const name of ['a.py', 'b.so', 'notes.txt', 'lib-dynload/c.so'])
    writeFileSync(join(library, name), '');
  const places = await makeBytecodePlaces(root);
  mkdirSync(join(places.filled, library), {recursive: true});
  writeFileSync(join(places.filled, library, 'a.cpython-313.pyc'), '');
  expect((await filesOfStart(places)).toSorted()).toEqual(
    [
      join(places.filled, library, 'a.cpython-313.pyc'),
      ...['a.py', 'b.so', 'lib-dynload/c.so'].map((name) => join(library, name)),
    ].toSorted(),
  );
  // Made anew, both are empty.
  await makeBytecodePlaces(root);
  expect([readdirSync(places.filled), readdirSync(places.empty)]).toEqual([[], []]);
});
