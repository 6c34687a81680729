import {expect, test} from '@jest/globals';
import {
  conditionEnvironment,
  conditionWords,
  type StartCondition,
} from '../../../src/inspect/start-condition.js';

const PLACES = {filled: '/f', empty: '/e'};

test.each<[StartCondition, string[], string[]]>([
  ['warm', [], ['-X', 'pycache_prefix=/f']],
  ['cold', ['-I'], ['-X', 'pycache_prefix=/f', '-I']],
  ['no-bytecode', ['-X', 'dev'], ['-B', '-X', 'pycache_prefix=/e', '-X', 'dev']],
  // The user's own word on bytecode would leave nothing to compare.
  ['warm', ['-sB', '-B'], ['-X', 'pycache_prefix=/f', '-s']],
])('the command line: %s with %j', (condition, options, expected) => {
  const command = {options, program: {kind: 'module', name: 'm'} as const, arguments: ['-B']};
  const words = conditionWords(command, condition, PLACES);
  expect(words).toEqual([...expected, '-m', 'm', '-B']);
});

test('the environment', () => {
  const user = {PYTHONDONTWRITEBYTECODE: '1', PYTHONPYCACHEPREFIX: '/own', A: 'a'};
  expect(conditionEnvironment(user, 'warm', PLACES)).toEqual({PYTHONPYCACHEPREFIX: '/f', A: 'a'});
  expect(conditionEnvironment({A: 'a'}, 'no-bytecode', PLACES)).toEqual({
    ...{PYTHONPYCACHEPREFIX: '/e', PYTHONDONTWRITEBYTECODE: '1', A: 'a'},
  });
});
