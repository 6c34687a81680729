import {linkSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import type {Installation} from '../../../../src/cpython/interpreter/installation/installation.js';
import {checkOut} from '../../../../src/hosts/installed/output-path.js';
import {ok} from '../../../../src/model/result.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
  writeFileSync(at('python3.13'), '');
  symlinkSync('python3.13', at('python3'));
  mkdirSync(at('venv'));
  symlinkSync('../python3.13', at('venv/python'));
});

/** A virtual environment's Python. */
const check = (out: string) =>
  checkOut(at(out), {
    target: {executable: at('venv/python')},
    baseExecutable: at('python3'),
  } as Installation);

test.each(['venv/python', 'python3', 'python3.13', 'venv/../python3'])(
  'the installed Python is not replaced: %s',
  async (out) => {
    expect(await check(out)).toMatchObject({
      ok: false,
      failure: {code: 'OUTPUT', message: `--out ${at(out)} is the installed Python itself`},
    });
  },
);

test('a new path, another file and a copy may be written', async () => {
  expect(await check('new')).toEqual(ok());
  writeFileSync(at('other'), '');
  expect(await check('other')).toEqual(ok());
  linkSync(at('other'), at('copy'));
  expect(await check('copy')).toEqual(ok());
});

test('a directory is not replaced', async () => {
  expect(await check('venv')).toMatchObject({ok: false, failure: {code: 'OUTPUT'}});
});
