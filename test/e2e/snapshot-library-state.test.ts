/** Snapshots with libraries that keep what belongs to a process: pointers into libc, threads, blocks of threads, mapped memory, formats of printf(). */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type ExtensionRig, extensionRig, moduleSource} from '../support/extension-rig.js';
import {SYSTEM_PYTHON, hasLinkablePython} from '../support/linkable-python.js';
import {STATE} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('snapshot-library-state');
let rig: ExtensionRig;

const KEEPS = `#include <errno.h>
#include <locale.h>
#include <printf.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
static __thread int large[20000] = {5, 6};
static void *of_libc, *of_thread, *of_errno, **allocated;
static int *mapped, handled, done;
static unsigned long inode;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static void *work(void *argument) {
    pthread_mutex_lock(&lock);
    done += *(int *)argument; large[1]++;
    pthread_cond_broadcast(&told);
    pthread_mutex_unlock(&lock);
    return NULL;
}
static int joined; static pthread_t pool[2];
static void *pooled(void *argument) { return argument; }
static void before_fork(void) { for (int i = 0; i < 2; i++) pthread_join(pool[i], NULL); joined = 2; }
static void in_child(void) { handled++; }
static int print_twice(FILE *file, const struct printf_info *info, const void *const *arguments) { int n = **(int *const *)arguments; return fprintf(file, "<%d>", 2 * n); }
static int print_size(const struct printf_info *info, size_t n, int *types, int *sizes) { if (n > 0) { types[0] = PA_INT; sizes[0] = sizeof(int); } return 1; }
__attribute__((constructor)) static void construct(void) {
    static int one = 1; pthread_t thread; struct stat found;
    of_libc = localeconv(); of_thread = (void *)pthread_self(); of_errno = &errno;
    allocated = malloc(16); *allocated = localeconv();
    mapped = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); mapped[5] = 7;
    if (fstat(1, &found) == 0) inode = found.st_ino;
    pthread_create(&thread, NULL, work, &one);
    for (int i = 0; i < 2; i++) pthread_create(&pool[i], NULL, pooled, NULL);
    pthread_atfork(before_fork, NULL, in_child);
    register_printf_specifier('Y', print_twice, print_size);
    large[0]++;
}
static int finished(void) { pthread_mutex_lock(&lock); while (done == 0) pthread_cond_wait(&told, &lock); int is = done; pthread_mutex_unlock(&lock); return is; }
static PyObject *text(void) { char buffer[32]; snprintf(buffer, sizeof(buffer), "%Y", 21); return PyUnicode_FromString(buffer); }
#define IS_SAME (of_libc == localeconv() && *allocated == localeconv() && of_thread == (void *)pthread_self() && of_errno == &errno)`;

/** Its constructor keeps a clock in memory that nothing in Python leads to. */
const DIFFERS = `#include <stdlib.h>
#include <time.h>
static struct timespec *kept;
__attribute__((constructor)) static void construct(void) { kept = malloc(sizeof(*kept)); clock_gettime(CLOCK_MONOTONIC, kept); }`;

/** It makes a table with keys as Rust's library does, whose next keys each thread keeps, and memory with the address of a frame that is gone. */
const DRAWS = `#include <stdint.h>
#include <string.h>
#include <sys/random.h>
static __thread uint64_t keys[2];
static uint64_t table[2];
static void **copied;
__attribute__((constructor)) static void construct(void) {
    char here;
    if (getrandom(keys, sizeof(keys), 4 /* GRND_INSECURE */) != sizeof(keys)) abort();
    memcpy(table, keys, sizeof(table)); keys[0]++;
    copied = malloc(sizeof(*copied)); memcpy(copied, &(void *){&here}, sizeof(*copied));
}`;

/** Its objects say when they end. */
const LOUD = `static void end(PyObject *object) { PyObject_GC_UnTrack(object); printf("ended\\n"); PyObject_GC_Del(object); }
static int visit(PyObject *object, visitproc visit, void *argument) { return 0; }
static PyTypeObject thing = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "loud.Thing", .tp_basicsize = sizeof(PyObject), .tp_dealloc = end,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .tp_traverse = visit, .tp_new = PyType_GenericNew};`;

describeWith(hasLinkablePython(), 'a Python of the system that can be relinked')('of the system', () => {
  const out = join(folder, 'bin', 'python');
  let said = '';

  beforeAll(async () => {
    rig = await extensionRig(folder);
    await rig.compile(
      moduleSource(
        'keeps',
        KEEPS,
        'Py_BuildValue("iiiiiN", IS_SAME, finished(), large[0], large[1], mapped[5], text())',
      ),
      'keeps.so',
      '-pthread',
    );
    await rig.compile(moduleSource('differs', DIFFERS, 'PyBool_FromLong(kept->tv_sec > 0)'), 'differs.so');
    await rig.compile(
      moduleSource('draws', DRAWS, 'Py_BuildValue("KKKK", table[0], table[1], keys[0], keys[1])'),
      'draws.so',
    );
    writeFileSync(
      join(rig.packages, 'with_variable.py'),
      `import os
os.environ['FOR_A_WHILE'] = '1'
import keeps
del os.environ['FOR_A_WHILE']
`,
    );
    writeFileSync(join(rig.packages, 'uses_differing.py'), 'import keeps, differs\n');
    writeFileSync(join(rig.packages, 'uses_drawing.py'), 'import draws\n');
    await rig.compile(
      moduleSource('loud', LOUD, '(PyType_Ready(&thing), PyObject_CallNoArgs((PyObject *)&thing))'),
      'loud.so',
    );
    said = await rig.build(
      out,
      '--startup',
      '--module',
      'with_variable',
      '--module',
      'uses_differing',
      '--module',
      'loud',
      '--module',
      'uses_drawing',
    );
  });

  test('what libraries keep belongs to the process that is restored', async () => {
    const use = `import keeps, with_variable, threading
print(keeps.state(), flush=True)
thread = threading.Thread(target=lambda: print(keeps.state()[2:4], flush=True)); thread.start(); thread.join()
print(keeps.state()[2:])`;
    const expected = await rig.start(SYSTEM_PYTHON, '-c', use);
    expect(expected).toMatchObject({exitCode: 0, stderr: ''});
    expect(expected.stdout).toBe(`(1, 1, 6, 6, 7, '<42>')\n(5, 6)\n(6, 6, 7, '<42>')\n`);
    expect(await rig.start(out, '-c', use)).toEqual(expected);
    expect((await rig.start(out, '-c', `import keeps; ${STATE}`)).stdout).toBe('restored\n');
  });

  test('memory that differs and that nothing leads to leaves out who has allocated it', async () => {
    expect(said).toMatch(/ differs: memory that it has allocated has another value in each process/);
    expect(said).toContain('and what imports them: uses_differing');
    expect(said).not.toMatch(/^ *(keeps|with_variable): |imports them: .*with_variable/m);
    const use = 'import uses_differing, differs; print(differs.state())';
    expect((await rig.start(out, '-c', `${use}; ${STATE}`)).stdout).toBe('True\nrestored\n');
  });

  test('keys of a table stay, and those of the next tables are drawn in each process', async () => {
    expect(said).not.toMatch(/^ *(uses_drawing|draws): /m);
    const starts = [];
    for (let i = 0; i < 3; i++) {
      const {stdout} = await rig.start(out, '-c', `import draws; print(*draws.state()); ${STATE}`);
      expect(stdout).toMatch(/^[\d ]+\nrestored\n$/);
      starts.push((stdout.split('\n')[0] ?? '').split(' '));
    }
    expect(new Set(starts.map((each) => each.slice(0, 2).join()))).toHaveProperty('size', 1);
    for (const place of [2, 3]) expect(new Set(starts.map((each) => each[place]))).toHaveProperty('size', 3);
  });

  test('the end of an object that can be seen is seen', async () => {
    for (const kept of [
      'kept = loud.state()',
      'json.kept = loud.state()',
      'def f(): pass\nf.kept = loud.state()',
    ]) {
      const use = `import json, loud\n${kept}\nprint(1, flush=True)`;
      const expected = await rig.start(SYSTEM_PYTHON, '-c', use);
      expect(expected).toEqual({exitCode: 0, stdout: '1\nended\n', stderr: ''});
      expect(await rig.start(out, '-c', use)).toEqual(expected);
    }
    writeFileSync(join(rig.packages, 'keeps_loud.py'), 'import loud\nkept = loud.state()\n');
    const other = join(folder, 'bin', 'other');
    expect(await rig.build(other, '--startup', '--module', 'keeps_loud')).not.toContain('left out');
    expect((await rig.start(other, '-c', STATE)).stdout).toBe('restored\nended\n');
  });
});
