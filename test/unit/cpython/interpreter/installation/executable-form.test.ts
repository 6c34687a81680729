/** What executables of a real linker say about themselves. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {
  type ExecutableForm,
  readExecutableForm,
} from '../../../../../src/cpython/interpreter/installation/executable-form.js';
import {temporaryDirectory} from '../../../../support/temporary-directory.js';

const folder = temporaryDirectory('form');
beforeAll(() => {
  writeFileSync(join(folder, 'main.c'), 'int main(void) { return 0; }\n');
});

let count = 0;
function compile(...flags: readonly string[]): string {
  count += 1;
  const path = join(folder, `program${count}`);
  execFileSync('cc', [...flags, join(folder, 'main.c'), '-o', path]);
  return path;
}

const USUAL = ['-pie', '-fPIE', '-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,noexecstack'];
const GOOD: ExecutableForm = {
  isPositionIndependent: true,
  relro: 'full',
  hasNoExecutableStack: true,
  runPath: undefined,
};

test.each<[string[], Partial<ExecutableForm>]>([
  [[], {}],
  [['-no-pie'], {isPositionIndependent: false}],
  [['-Wl,-z,lazy'], {relro: 'partial'}],
  [['-Wl,-z,norelro'], {relro: 'none'}],
  [['-Wl,-z,execstack'], {hasNoExecutableStack: false}],
  [['-Wl,-rpath,/opt/lib:$ORIGIN/../lib'], {runPath: '/opt/lib:$ORIGIN/../lib'}],
  [['-Wl,-rpath,/opt/lib', '-Wl,--disable-new-dtags'], {runPath: '/opt/lib'}],
  [['-shared', '-fPIC'], {}],
])('a program linked with %j', async (flags, expected) => {
  expect(await readExecutableForm(compile(...USUAL, ...flags))).toEqual({...GOOD, ...expected});
});

test('a static program', async () => {
  const found = await readExecutableForm(compile('-static', '-no-pie'));
  expect(found).toMatchObject({isPositionIndependent: false, runPath: undefined});
});

test('what is not such a file has no form', async () => {
  mkdirSync(join(folder, 'directory'));
  writeFileSync(join(folder, 'script'), '#!/bin/sh\n');
  writeFileSync(join(folder, 'empty'), '');
  for (const name of ['directory', 'script', 'empty', 'nowhere'])
    expect(await readExecutableForm(join(folder, name))).toBeUndefined();
});

test('a file that is cut anywhere, or says nonsense, is no error', async () => {
  const whole = compile(...USUAL);
  const size = readFileSync(whole).length;
  const cut = join(folder, 'cut');
  for (let length = size; length > 0; length -= Math.ceil(size / 40)) {
    writeFileSync(cut, readFileSync(whole));
    truncateSync(cut, length);
    await expect(readExecutableForm(cut)).resolves.not.toThrow();
  }
  for (let at = 0; at < 1000; at += 3) {
    const bytes = Buffer.from(readFileSync(whole));
    bytes[at] = 0xff;
    writeFileSync(cut, bytes);
    await expect(readExecutableForm(cut)).resolves.not.toThrow();
  }
});
