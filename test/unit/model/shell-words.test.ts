import {execFileSync} from 'node:child_process';
import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {quoteForShell, shellWords} from '../../../src/model/shell-words.js';

test.each([
  ['ccache gcc -std=gnu11', ['ccache', 'gcc', '-std=gnu11']],
  [`-DNAME='"a b"' -I"x y"`, ['-DNAME="a b"', '-Ix y']],
  [String.raw`-DNAME=\"text\"`, ['-DNAME="text"']],
  ['  \t\n', []],
])('words of %j', (text, words) => {
  expect(shellWords(text)).toEqual(words);
});

test('words of blanks only are left out: MODLIBS of Debian’s 3.14 has them', () => {
  expect(shellWords(String.raw`-lz \  -lm \ `)).toEqual(['-lz', '-lm']);
});

test('an unclosed quote is a character', () => {
  expect(shellWords("-lm it's")).toEqual(['-lm', "it's"]);
});

test('a shell reads quoted words as they were', () => {
  const word = fc
    .string({minLength: 1, maxLength: 12})
    .filter((text) => text.trim() !== '' && !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, {minLength: 1, maxLength: 5}), (words) => {
      const quoted = quoteForShell(words);
      const seen = execFileSync('sh', ['-c', `printf '%s\\0' ${quoted}`], {encoding: 'utf8'});
      expect(seen.split('\0').slice(0, -1)).toEqual(words);
      expect(shellWords(quoted)).toEqual(words);
    }),
    {numRuns: 60},
  );
});
