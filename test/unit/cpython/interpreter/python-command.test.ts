import {describe, expect, test} from '@jest/globals';
import {parsePythonCommand} from '../../../../src/cpython/interpreter/python-command.js';

describe('parsePythonCommand', () => {
  test.each([
    [['-c', 'pass', '-v'], {options: [], program: {kind: 'code', text: 'pass'}, arguments: ['-v']}],
    [['-Ic', 'pass'], {options: ['-I'], program: {kind: 'code', text: 'pass'}, arguments: []}],
    [['-cpass'], {options: [], program: {kind: 'code', text: 'pass'}, arguments: []}],
    [['-m', 'json.tool', 'x'], {options: [], program: {kind: 'module', name: 'json.tool'}, arguments: ['x']}],
    [
      ['-SImjson.tool', '-m'],
      {options: ['-SI'], program: {kind: 'module', name: 'json.tool'}, arguments: ['-m']},
    ],
    [
      ['-X', 'dev', '-Wignore', '-O', '/usr/bin/hg', 'version'],
      {
        options: ['-X', 'dev', '-W', 'ignore', '-O'],
        program: {kind: 'script', path: '/usr/bin/hg'},
        arguments: ['version'],
      },
    ],
    [
      ['-iu', '-i', '--check-hash-based-pycs', 'never', '--', '-odd.py'],
      {
        options: ['-u', '--check-hash-based-pycs', 'never'],
        program: {kind: 'script', path: '-odd.py'},
        arguments: [],
      },
    ],
  ])('%j', (argv, expected) => {
    expect(parsePythonCommand(argv)).toEqual({ok: true, value: expected});
  });

  test.each([[[]], [['-']], [['-V']], [['--version']], [['-x', 'a.py']], [['-c']], [['-I']]])(
    'not %j',
    (argv) => {
      expect(parsePythonCommand(argv)).toMatchObject({ok: false, failure: {code: 'USAGE'}});
    },
  );
});
