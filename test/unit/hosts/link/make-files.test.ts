import {execFileSync} from 'node:child_process';
import {rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {dependencyFile, isNameForMake, responseFile} from '../../../../src/hosts/link/make-files.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('make-files');

const TARGET = 'our things/objects.rsp';
const STRANGE = [
  ...['plain.py', 'with space.py', 'dollar$x.py', '$(x).py', 'hash#.py', 'percent%.py', 'a:b.py', 'ü.py'],
  ...["it's.py", '"x".py', '`id`.py', '&&.py', '(x).py', '<a>.py', '{a,b}.py', '!,^+@.py', 'a~.py'],
  ...['tab\t.py', 'return\r.py', '\u001b.py'],
];
/** What make would take for something else. */
const UNREADABLE = [
  ...['*.py', '?.py', '[a].py'],

  'a;touch pwned;.py',
  'a=b.py',
  'a|b.py',
  'a\\b.py',
  'a\ntouch pwned\n.py',
  'not\ufffdutf8.py',
];

/** What make thinks of the target: 0 up to date, 1 not. */
function ask(): number {
  try {
    execFileSync('make', ['-q', '-f', 'makefile', TARGET], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return 0;
  } catch (error) {
    return (error as {status: number}).status;
  }
}

test('make reads every file name, notices changes, and treats missing files as changed', () => {
  execFileSync('mkdir', ['-p', join(folder, 'our things')]);
  const sources = STRANGE.map((name) => join(folder, name));
  const touch = (path: string, seconds: number): void => {
    writeFileSync(path, '');
    utimesSync(path, seconds, seconds);
  };
  for (const source of sources) touch(source, 1000);
  touch(join(folder, TARGET), 2000);
  writeFileSync(
    join(folder, 'makefile'),
    `${dependencyFile(TARGET, sources)}\n${TARGET.replaceAll(' ', '\\ ')}: ; @touch '$@'\n`,
  );
  expect(ask()).toBe(0);
  for (const source of sources) {
    touch(source, 3000);
    expect([source, ask()]).toEqual([source, 1]);
    touch(source, 1000);
  }
  expect(ask()).toBe(0);
  rmSync(join(folder, 'hash#.py'));
  expect(ask()).toBe(1);
});

test('names that make cannot read are left out, and are no commands', () => {
  const all = [...STRANGE, ...UNREADABLE].map((name) => join(folder, name));
  expect(UNREADABLE.map(isNameForMake)).toEqual(UNREADABLE.map(() => false));
  expect(dependencyFile(TARGET, all)).toBe(
    dependencyFile(
      TARGET,
      STRANGE.map((name) => join(folder, name)),
    ),
  );
  expect(dependencyFile(TARGET, UNREADABLE)).toBe('');
});

test('no sources, no rule', () => {
  expect(dependencyFile('x', [])).toBe('');
});

test('the compiler reads the words of a response file unchanged', () => {
  const file = join(folder, 'words.rsp');
  const words = ['-DA="a b"', String.raw`-DB='\x'`, '-DC=c'];
  writeFileSync(file, responseFile(words));
  const macros = execFileSync('cc', [`@${file}`, '-E', '-dM', '-x', 'c', '/dev/null'], {encoding: 'utf8'});
  expect(macros).toContain('#define A "a b"\n');
  expect(macros).toContain(String.raw`#define B '\x'` + '\n');
  expect(macros).toContain('#define C c\n');
});
