import {expect, test} from '@jest/globals';
import {type LeftOut, leftOutWarning} from '../../../../src/pipeline/modules/left-out.js';

const left = (module: string, text: string, type = 'SyntaxError'): LeftOut => ({
  module,
  source: `/site/${module.replaceAll('.', '/')}.py`,
  problem: {type, text},
});
const SYNTAX = '  File "/site/a/b.py", line 3\n    x = = 1\n        ^\nSyntaxError: invalid syntax';

function messageOf(modules: readonly LeftOut[]): string {
  const warning = leftOutWarning(modules);
  return warning?.type === 'warning' ? warning.message : '';
}

function detailsOf(modules: readonly LeftOut[]): string {
  const warning = leftOutWarning(modules);
  return warning?.type === 'warning' ? (warning.details ?? '') : '';
}

test('a build in which every module compiles has no warning', () => {
  expect(leftOutWarning([])).toBeUndefined();
});

test('one module is named on one line, with the place and the reason', () => {
  expect(leftOutWarning([left('a.b', SYNTAX)])).toEqual({
    type: 'warning',
    isLasting: true,
    message:
      '1 module does not compile, and stays on its ordinary import: a.b (/site/a/b.py:3): SyntaxError: invalid syntax',
    hint: '--exclude a.b leaves a module out without a warning',
  });
});

test.each([
  [
    'an error without a line',
    '  File "/site/m.py"\nSyntaxError: unknown encoding: x',
    'SyntaxError',
    '/site/m.py): SyntaxError: unknown encoding: x',
  ],
  [
    'a crash',
    'the compiler crashed (SIGSEGV)\nlast words\nmore',
    'crash',
    '/site/m.py): the compiler crashed (SIGSEGV)',
  ],
  ['no text at all', '', 'MemoryError', '/site/m.py): MemoryError'],
  [
    'a long reason',
    `ValueError: ${'x'.repeat(5000)}`,
    'ValueError',
    `/site/m.py): ValueError: ${'x'.repeat(188)}…`,
  ],
])('%s', (_what, text, type, end) => {
  expect(messageOf([left('m', text, type)])).toBe(
    `1 module does not compile, and stays on its ordinary import: m (${end}`,
  );
});

test('many are one warning, and the list is bounded', () => {
  const many = Array.from({length: 500}, (_, i) => left(`m${i}`, SYNTAX));
  expect(messageOf(many)).toBe('500 modules do not compile, and stay on their ordinary imports:');
  const lines = detailsOf(many).split('\n');
  expect(lines).toHaveLength(9);
  expect(lines.at(-1)).toBe('and 492 more');
  expect(detailsOf([left('m', SYNTAX), left('n', SYNTAX)]).split('\n')).toEqual([
    'm (/site/m.py:3): SyntaxError: invalid syntax',
    'n (/site/n.py:3): SyntaxError: invalid syntax',
  ]);
});

test('a line break in a name makes no line', () => {
  expect(detailsOf([left('m', SYNTAX), left('n\nflashfreeze: done', SYNTAX)]).split('\n')).toHaveLength(2);
});

test('the hint can be pasted into a shell', () => {
  expect(leftOutWarning([left("it's", SYNTAX)])).toMatchObject({
    hint: expect.stringContaining(String.raw`'it'\''s'`),
  });
});
