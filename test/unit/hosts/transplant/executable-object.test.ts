/** An executable or a library that is linked again as one object does what it did. */
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {copyVariables} from '../../../../src/hosts/transplant/copied-variables.js';
import {objectOfExecutable} from '../../../../src/hosts/transplant/executable-object.js';
import {linkScript} from '../../../../src/hosts/transplant/link-script.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {describeWith} from '../../../support/with.js';

const folder = temporaryDirectory('executable-object');

/** An exported function that is called from inside, data, variables of threads and of libc, a constructor, and calls of libc. */
const ORIGINAL = `
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static _Thread_local int first = 41;
static _Thread_local volatile char zeros[37];
int numbers[] = {1, 2, 3}, *second = &numbers[1], constructed;
char much[100000];
__attribute__((constructor)) static void construct(void) { constructed = 7; }
__attribute__((noinline)) int answer(int x) { char room[40]; snprintf(room, sizeof(room), "%d", x + numbers[0]); return atoi(room); }
static void *in_thread(void *p) { first++; zeros[36] = 1; return (void *)(long)(first + zeros[36] + (long)p); }
int work(void)
{
    pthread_t thread;
    void *result;
    first += 2;
    pthread_create(&thread, NULL, in_thread, (void *)100);
    pthread_join(thread, &result);
    char *copy = strdup("text");
    memset(much, 1, sizeof(much));
    fprintf(stdout, "%d %d %d %d %ld %s %d\\n", answer(1), *second, constructed, first, (long)result, copy, much[99999]);
    free(copy);
    return 0;
}
int main(void) { return work(); }
`;

/** A main program for it, with a function in the place of one of its own, and in the place of one of libc. */
const ADDED = `
#include <string.h>
extern int work(void), __real_answer(int);
extern char *__real_strdup(const char *);
typedef void (*constructor)(void);
extern const constructor ff_original_constructors[], ff_original_constructors_end[];
_Thread_local int own = 5;
int __wrap_answer(int x) { return 1000 * own + __real_answer(x); }
char *__wrap_strdup(const char *text) { return __real_strdup(strcmp(text, "text") == 0 ? "other" : text); }
int main(void)
{
    for (const constructor *each = ff_original_constructors; each != ff_original_constructors_end; each++) (*each)();
    return work();
}
`;

const compile = (...words: string[]): void => {
  execFileSync('gcc', words, {cwd: folder, stdio: ['ignore', 'ignore', 'pipe']});
};
const canLink = process.arch === 'x64' && process.platform === 'linux';

const KINDS = [
  {kind: 'an executable with fixed addresses', flags: ['-no-pie', '-rdynamic']},
  {kind: 'a position-independent executable', flags: ['-pie', '-fPIE', '-rdynamic']},
  {kind: 'a shared library', flags: ['-shared', '-fPIC']},
];

describeWith(canLink, 'an x86-64 processor')('what it did, with other functions', () => {
  test.each(KINDS)('$kind', async ({kind, flags}) => {
    writeFileSync(join(folder, 'original.c'), ORIGINAL);
    writeFileSync(join(folder, 'added.c'), ADDED);
    const [path, linked] = [join(folder, 'original'), join(folder, 'linked')];
    compile('-O2', ...flags, '-pthread', '-Wl,-rpath,/usr/lib:$ORIGIN/lib', 'original.c', '-o', path);
    if (kind !== 'a shared library') {
      expect(execFileSync(path, {encoding: 'utf8'})).toBe('2 2 7 43 143 text 1\n');
    }
    const request = {
      path,
      bytes: readFileSync(path),
      wrapped: ['strdup'],
      renamed: new Map<string, string>(),
    };
    const made = objectOfExecutable({...request, replaced: ['answer', 'absent']});
    if (!made.ok) throw new Error(made.failure.message);
    const {copies, libraries, runPath, threadSize} = made.value;
    expect(runPath).toEqual(['/usr/lib', join(folder, 'lib')]);
    if (kind !== 'a shared library') expect(copies.map(({name}) => name)).toContain('stdout');
    expect(libraries).toContain('libc.so.6');
    expect(threadSize).toBeGreaterThanOrEqual(41);
    writeFileSync(join(folder, 'original.s'), made.value.assembly);
    writeFileSync(join(folder, 'original.ld'), linkScript(made.value));
    const words = [
      ...['-fuse-ld=bfd', '-no-pie', '-rdynamic', '-Wl,-z,now'],
      '-Wl,--wrap=strdup',
      '-Wl,-T,original.ld',
    ];
    compile('-O2', ...words, 'added.c', 'original.s', ...libraries.map((name) => `-l:${name}`), '-o', linked);
    expect(await copyVariables(linked, copies)).toEqual({ok: true, value: undefined});
    expect(execFileSync(linked, {encoding: 'utf8'})).toBe('5002 2 7 43 143 other 1\n');
  });
});

test('a file of another kind is refused', () => {
  const request = {
    path: '/x',
    bytes: Buffer.from('#!/bin/sh\n'),
    wrapped: [],
    renamed: new Map<string, string>(),
    replaced: [],
  };
  expect(objectOfExecutable(request)).toMatchObject({ok: false, failure: {code: 'PYTHON'}});
});
