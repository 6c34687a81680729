import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {findProgram} from '../../../../src/inspect/trial/find-program.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const root = temporaryDirectory('find-program');
const bin = join(root, 'bin');
/** Not a script: as far as this is concerned, an interpreter. */
const BINARY = '\u007fELF';

function executable(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), {recursive: true});
  writeFileSync(file, text, {mode: 0o755});
  return file;
}

const find = (...command: string[]) =>
  findProgram(command, {cwd: root, environment: {PATH: bin}, signal: new AbortController().signal});
const found = async (...command: string[]) => {
  const done = await find(...command);
  if (!done.ok) throw new Error(done.failure.message);
  const {python, command: parsed} = done.value;
  const {options, program, arguments: rest} = parsed;
  return [python, options, Object.values(program).slice(1), rest];
};

beforeAll(() => {
  executable('bin/python3', BINARY);
  executable('bin/perl', BINARY);
});

test('an interpreter on PATH, or by its path', async () => {
  const python = join(bin, 'python3');
  expect(await found('python3', '-m', 'json.tool', 'x')).toEqual([python, [], ['json.tool'], ['x']]);
  expect(await found('bin/python3', '-Ic', 'pass')).toEqual([python, ['-I'], ['pass'], []]);
});

test('the interpreter of a virtual environment stays a link', async () => {
  mkdirSync(join(root, 'venv'));
  const link = join(root, 'venv', 'python3');
  symlinkSync(join(bin, 'python3'), link);
  const script = executable('bin/http', `#!${link}\nprint()\n`);
  expect(await found('http', '--version')).toEqual([link, [], [script], ['--version']]);
});

describe('the first line of a script', () => {
  test.each([
    ['#!/usr/bin/env python3', []],
    ['#! /usr/bin/env   python3  ', []],
    ['#!/usr/bin/env -S python3 -u -X dev', ['-u', '-X', 'dev']],
  ])('%s', async (line, options) => {
    const script = executable('bin/tool', `${line}\nprint()\n`);
    expect(await found('tool', '-v')).toEqual([join(bin, 'python3'), options, [script], ['-v']]);
  });

  test('options are one word, as the kernel passes them', async () => {
    const script = executable('bin/isolated', `#!${join(bin, 'python3')} -sP\n`);
    expect(await found('isolated')).toEqual([join(bin, 'python3'), ['-sP'], [script], []]);
  });

  test('a script that another script interprets', async () => {
    const wrapper = executable('bin/python-wrapper', `#!${join(bin, 'python3')}\n`);
    executable('bin/wrapped', `#!${wrapper}\n`);
    expect((await found('wrapped', 'x'))[3]).toEqual([join(bin, 'wrapped'), 'x']);
  });
});

test.each<[string, (python: string) => string, string[]]>([
  ['a place with blanks', (python: string) => `"${python}"`, []],
  ['deep', (python: string) => `${python} -E`, ['-E']],
])('the lines that pip writes for long paths: %s', async (folder, words, options) => {
  const python = executable(`${folder}/python3`, BINARY);
  const script = executable('bin/long', `#!/bin/sh\n'''exec' ${words(python)} "$0" "$@"\n' '''\nprint()\n`);
  expect(await found('long', 'x')).toEqual([python, options, [script], ['x']]);
});

test('a shim of pyenv leads to what it would start', async () => {
  const tool = executable('versions/3.12/bin/tool', `#!${join(bin, 'python3')}\n`);
  const pyenv = executable('libexec/pyenv', `#!/bin/sh\n[ "$1 $2" = "which shim" ] && echo ${tool}\n`);
  executable(
    'bin/shim',
    `#!/usr/bin/env bash\nset -e\nprogram="\${0##*/}"\n\nexec "${pyenv}" exec "$program" "$@"\n`,
  );
  expect(await found('shim', 'x')).toEqual([join(bin, 'python3'), [], [tool], ['x']]);
});

describe('what is not a program of Python', () => {
  const failureOf = async (...command: string[]) => {
    const done = await find(...command);
    return done.ok ? undefined : [done.failure.code, done.failure.message];
  };
  test.each<[string, string[], string, RegExp]>([
    ['an unknown name', ['nothing-there'], 'NO_TOOL', /nothing-there: command not found/],
    ['a directory', ['./bin'], 'NO_TOOL', /command not found/],
    ['another binary', ['perl', '-e', '1'], 'USAGE', /perl is not a program of Python/],
    ['a conversation', ['python3'], 'USAGE', /runs no program/],
    ['only the version', ['python3', '--version'], 'USAGE', /runs no program/],
  ])('%s', async (_, command, code, message) => {
    expect(await failureOf(...command)).toEqual([code, expect.stringMatching(message)]);
  });

  test.each([
    ['a shell script', '#!/bin/sh\necho\n'],
    ['a script of another language', `#!${join(bin, 'perl')}\n`],
    ['an environment that is set on the way', '#!/usr/bin/env -S A=1 python3\n'],
    ['an empty interpreter', '#!\n'],
    ['itself', `#!${join(bin, 'odd')}\n`],
  ])('%s', async (_, text) => {
    executable('bin/odd', text);
    expect((await failureOf('odd'))?.[0]).toMatch(/USAGE|NO_TOOL/);
  });
});
