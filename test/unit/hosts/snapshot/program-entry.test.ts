/** The program that an executable is: its name on the command line, and its place in the file. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {
  type Entry,
  isRunAsMain,
  modulesToRun,
  parseEntry,
  textOfEntry,
  withEntry,
  writeEntry,
} from '../../../../src/hosts/snapshot/program-entry.js';
import {splitCommandLine} from '../../../../src/model/shell-words.js';
import {selectionFrom} from '../../../../src/pipeline/modules/selection-settings.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('program-entry');
writeFileSync(join(folder, 'script'), '');
writeFileSync(join(folder, 'script.py'), '');

describe('--entry', () => {
  test.each<[string, Entry]>([
    ['a.b:main', {kind: 'function', module: 'a.b', attribute: 'main'}],
    ['a:C.run', {kind: 'function', module: 'a', attribute: 'C.run'}],
    ['mödul:f', {kind: 'function', module: 'mödul', attribute: 'f'}],
    ['json.tool', {kind: 'module', module: 'json.tool'}],
    ['script', {kind: 'script', path: join(folder, 'script')}],
    ['./script.py', {kind: 'script', path: join(folder, 'script.py')}],
    [join(folder, 'script.py'), {kind: 'script', path: join(folder, 'script.py')}],
  ])('%s', (text, entry) => {
    expect(parseEntry(text, folder)).toEqual({ok: true, value: entry});
  });

  test.each([
    '',
    'missing.py',
    './missing',
    'a:',
    ':f',
    'a:b:c',
    'a b',
    'a-b',
    '1a:f',
    'a.:f',
    'a:f()',
    '-m',
  ])('%j is wrong usage', (text) => {
    expect(parseEntry(text, folder)).toMatchObject({ok: false, failure: {code: 'USAGE'}});
  });
});

const FUNCTION: Entry = {kind: 'function', module: 'a.__main__', attribute: 'C.run'};
const MODULE: Entry = {kind: 'module', module: 'a.b'};
const SCRIPT: Entry = {kind: 'script', path: "/it's/here.py"};

test('a selection traces what a program imports, before what else it traces', () => {
  const selection = selectionFrom({trace: ['x']});
  const words = (entry: Entry): readonly string[] | undefined =>
    splitCommandLine(withEntry(selection, entry).traces[0] ?? '');
  expect(words(FUNCTION)).toEqual(['-c', 'from a.__main__ import C']);
  expect(words(MODULE)?.slice(1)).toEqual(['module', 'a.b']);
  expect(words(SCRIPT)?.slice(1)).toEqual(['script', "/it's/here.py"]);
  expect(withEntry(selection, SCRIPT)).toMatchObject({
    traces: [expect.anything(), 'x'],
    programFiles: ["/it's/here.py"],
  });
  expect(withEntry(selection, MODULE).modules).toEqual(['a.b']);
});

test('what runs as __main__ is not imported before', () => {
  expect(isRunAsMain('x.__main__', FUNCTION)).toBe(true);
  expect(isRunAsMain('a.__main__', FUNCTION)).toBe(false);
  expect(isRunAsMain('a.b', MODULE)).toBe(true);
  expect(isRunAsMain('a.b', undefined)).toBe(false);
  expect(modulesToRun(FUNCTION)).toContain('a.__main__');
  expect(modulesToRun(undefined)).toEqual([]);
});

describe('the executable', () => {
  const MAGIC = Buffer.from('flashfreeze run\0');
  const executable = Buffer.concat([
    Buffer.alloc(100, 7),
    MAGIC,
    Buffer.alloc(8 + 2 * 4096),
    Buffer.alloc(50, 8),
  ]);

  test('has the kind, the interpreter and the text at its place', () => {
    const written = writeEntry(executable, FUNCTION, '/bin/python');
    if (!written.ok) throw new Error(written.failure.message);
    const at = 100 + MAGIC.length;
    expect(written.value.readBigUInt64LE(at)).toBe(1n);
    expect(written.value.toString('utf8', at + 8, at + 8 + 12)).toBe('/bin/python\0');
    const text = textOfEntry(FUNCTION);
    expect(text).toBe('import sys\nfrom a.__main__ import C\nsys.exit(C.run())');
    expect(written.value.toString('utf8', at + 8 + 4096, at + 8 + 4096 + text.length + 1)).toBe(`${text}\0`);
    expect(written.value.length).toBe(executable.length);
    expect(written.value.subarray(-50)).toEqual(executable.subarray(-50));
    // The one without a program is unchanged.
    expect(executable.readBigUInt64LE(at)).toBe(0n);
    // Writing another one leaves nothing of the first.
    expect(writeEntry(written.value, MODULE, '/p')).toEqual(writeEntry(executable, MODULE, '/p'));
  });

  test.each([
    ['without a place', Buffer.alloc(100), SCRIPT],
    ['with two places', Buffer.concat([executable, executable]), SCRIPT],
    ['with a path that is too long', executable, {kind: 'script', path: `/${'a'.repeat(4096)}`} as const],
  ])('%s is refused', (_, bytes, entry) => {
    expect(writeEntry(bytes, entry, '/p')).toMatchObject({ok: false});
  });
});
