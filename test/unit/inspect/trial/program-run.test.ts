import {describe, expect, test} from '@jest/globals';
import {outputDifference, runProgram} from '../../../../src/inspect/trial/program-run.js';

const shell = (code: string, name = '/bin/sh') =>
  runProgram({
    file: '/bin/sh',
    words: [name, '-c', code],
    environment: {PATH: '/usr/bin:/bin'},
    cwd: '/',
    signal: new AbortController().signal,
  });

describe('a program that is run', () => {
  test('what it prints, by the name that it is called by', async () => {
    expect(await shell('echo "$0"; echo b >&2', 'other-name')).toMatchObject({
      value: {stdout: 'other-name\n', stderr: 'b\n'},
    });
  });

  test('it has no input and no terminal', async () => {
    expect(await shell('read line || echo end; [ -t 0 ] || echo none')).toMatchObject({
      value: {stdout: 'end\nnone\n'},
    });
  });

  test.each([
    ['echo no home >&2; exit 3', /ended with exit code 3/, 'no home'],
    ['echo said; kill -TERM $$', /was killed by SIGTERM/, 'said'],
  ])('one that fails: %s', async (code, message, details) => {
    expect(await shell(code)).toMatchObject({
      failure: {code: 'BENCH', message: expect.stringMatching(message), details},
    });
  });
});

test.each([
  [['a\nb\n', ''], ['a\nb\n', ''], undefined],
  [['a\nb\n', ''], ['a\nc\n', ''], 'line 2 of stdout: "b" and "c"'],
  [['a\n', 'x'], ['a\n', 'y'], 'line 1 of stderr: "x" and "y"'],
  [['a', ''], ['a\nb', ''], 'line 2 of stdout: (nothing) and "b"'],
])('the first difference of outputs', ([stdout = '', stderr = ''], [other = '', said = ''], expected) => {
  const difference = outputDifference({stdout, stderr, took: 1}, {stdout: other, stderr: said, took: 2});
  expect(difference).toBe(expected);
});
