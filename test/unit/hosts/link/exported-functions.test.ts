/** What shared libraries find under the names of functions that the linker replaces (--wrap) in the executable's own objects. */
import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {redirectExports, redirections} from '../../../../src/hosts/link/exported-functions.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('exported-functions');
const at = (name: string): string => join(folder, name);
const cc = (...words: readonly string[]): string =>
  execFileSync('cc', words, {cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});

beforeAll(() => {
  writeFileSync(at('answer.c'), 'int answer(void) { return 1; } int other(void) { return 5; }');
  writeFileSync(
    at('replaced.c'),
    `__attribute__((visibility("default"))) int __wrap_answer(void) { extern int __real_answer(void); return 10 + __real_answer(); }
     int __wrap_other(void) { return 6; }`,
  );
  writeFileSync(at('library.c'), 'extern int answer(void); int ask(void) { return 100 * answer(); }');
  writeFileSync(
    at('main.c'),
    `#include <dlfcn.h>
     #include <stdio.h>
     extern int answer(void);
     int main(void)
     {
         int (*ask)(void) = (int (*)(void))dlsym(dlopen("${at('liblibrary.so')}", RTLD_NOW), "ask");
         printf("%d %d", answer(), ask());
         return 0;
     }`,
  );
  cc('-shared', '-fPIC', '-o', 'liblibrary.so', 'library.c');
});

function linked(name: string, ...words: readonly string[]): string {
  const wrapped = ['-Wl,--wrap=answer', '-Wl,--wrap=other', '-fvisibility=hidden', '-rdynamic'];
  cc('-c', '-o', 'answer.o', 'answer.c');
  cc(...wrapped, ...words, '-o', name, 'main.c', 'replaced.c', 'answer.o');
  return at(name);
}

const ran = (file: string): string => spawnSync(file, {encoding: 'utf8'}).stdout;

test.each([
  ['at fixed addresses', ['-no-pie']],
  ['that can lie anywhere', ['-fPIE', '-pie']],
  ['without a symbol table', ['-no-pie', '-s']],
])('a library finds the same function as an executable %s', async (name, words) => {
  const executable = linked(name.replaceAll(' ', '-'), ...words);
  expect(ran(executable)).toBe('11 100');
  expect(await redirectExports(executable, ['answer'])).toEqual({ok: true});
  expect(ran(executable)).toBe('11 1100');
});

test('a name that is not exported needs nothing', () => {
  expect(redirections(readFileSync(linked('plain')), ['missing'])).toEqual([]);
});

test('the replacement has to be exported', async () => {
  const executable = linked('hidden');
  expect(redirections(readFileSync(executable), ['answer', 'other'])).toBe('other');
  expect(await redirectExports(executable, ['other'])).toMatchObject({
    ok: false,
    failure: {
      code: 'LINK',
      message: `cannot link ${executable}: __wrap_other is not among its exported symbols`,
    },
  });
  expect(ran(executable)).toBe('11 100');
});
