import {execFileSync} from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {placeOutput, predictOutput} from '../../../../src/hosts/link/place-output.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let directory: string;
let executable: string;
beforeEach(() => {
  directory = temporaryDirectory('output');
  mkdirSync(join(directory, 'build'));
  executable = join(directory, 'build', 'python-frozen');
  writeFileSync(executable, 'new');
});

describe('the output of a build', () => {
  test('is the executable itself, where no other place is wanted', async () => {
    expect(await placeOutput(undefined, executable)).toEqual({ok: true, value: executable});
    expect(await placeOutput(executable, executable)).toEqual({ok: true, value: executable});
    expect(statSync(executable).isFile()).toBe(true);
  });

  test('is a relative link elsewhere, in a directory that need not exist', async () => {
    const out = join(directory, 'new', 'bin', 'python');
    expect(await placeOutput(out, executable)).toEqual({ok: true, value: out});
    expect(readlinkSync(out)).toBe('../../build/python-frozen');
    expect(realpathSync(out)).toBe(executable);
  });

  test('stays the very link if it leads there already', async () => {
    const out = join(directory, 'python');
    symlinkSync('build/python-frozen', out);
    expect(await placeOutput(out, executable)).toMatchObject({ok: true});
    expect(readlinkSync(out)).toBe('build/python-frozen');
    expect(readdirSync(directory).sort()).toEqual(['build', 'python']);
  });

  test.each(['a file', 'a link elsewhere', 'a link to nothing'])('replaces %s', async (what) => {
    const out = join(directory, 'python');
    if (what === 'a file') writeFileSync(out, 'old');
    else symlinkSync(what.endsWith('nothing') ? 'nowhere' : '/bin/sh', out);
    expect(await placeOutput(out, executable)).toMatchObject({ok: true});
    expect(readFileSync(out, 'utf8')).toBe('new');
  });

  test.each(['a directory', 'not a file'])('replaces nothing that is %s', async (what) => {
    const out = join(directory, 'python');
    if (what === 'a directory') mkdirSync(out);
    else execFileSync('mkfifo', [out]);
    expect(await placeOutput(out, executable)).toMatchObject({
      ok: false,
      failure: {code: 'OUTPUT', message: `${out} is ${what}`},
    });
    expect(statSync(out).isFile()).toBe(false);
  });

  test('is not placed by a dry run', async () => {
    const out = join(directory, 'python');
    expect(await predictOutput(out, executable)).toEqual({output: out, pending: true});
    expect(existsSync(out)).toBe(false);
    await placeOutput(out, executable);
    expect(await predictOutput(out, executable)).toEqual({output: out, pending: false});
    expect(await predictOutput(undefined, executable)).toEqual({output: executable, pending: false});
  });

  test('below a file cannot be written', async () => {
    const out = join(executable, 'python');
    expect(await placeOutput(out, executable)).toMatchObject({ok: false, failure: {code: 'OUTPUT'}});
  });
});
