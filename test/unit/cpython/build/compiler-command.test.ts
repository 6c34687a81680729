import {describe, expect, test} from '@jest/globals';
import {parseCompilerCommand} from '../../../../src/cpython/build/compiler-command.js';

describe('parseCompilerCommand', () => {
  test.each([
    ['gcc', 'gcc', [], []],
    ['gcc -m64 -pthread', 'gcc', [], ['-m64', '-pthread']],
    ['ccache gcc -std=gnu11', 'ccache', ['gcc'], ['-std=gnu11']],
    ['zig cc -target x86_64-linux-gnu', 'zig', ['cc'], ['-target', 'x86_64-linux-gnu']],
    ["'/a folder/gcc' -O2", '/a folder/gcc', [], ['-O2']],
    ['', 'cc', [], []],
  ])('%j', (cc, file, prefix, flags) => {
    expect(parseCompilerCommand(cc)).toEqual({file, prefix, flags});
  });
});
