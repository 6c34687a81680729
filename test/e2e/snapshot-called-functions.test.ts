/** Snapshots with libraries that keep parts of addresses of libc's functions, as compiled code does that copies structures with parts that nobody has written. */
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type ExtensionRig, extensionRig, moduleSource} from '../support/extension-rig.js';
import {SYSTEM_PYTHON, hasLinkablePython} from '../support/linkable-python.js';
import {STATE} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('snapshot-called-functions');
const out = join(folder, 'bin', 'python');
let rig: ExtensionRig;

/** Two bytes that each process has its own of, in two words that have nothing else of the address. */
const KEEPS = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
typedef long (*number_of)(const char *);
static number_of in_data = a64l, stored;
static struct { uint64_t first, second; } *kept;
static uint64_t byte(int i) { return (uint64_t)((uintptr_t)stored >> 8 * i & 255) << 8; }
__attribute__((constructor)) static void construct(void) {
    stored = a64l; kept = malloc(sizeof(*kept)); kept->first = byte(1); kept->second = byte(2);
}
static int is_same(void) { return kept->first == byte(1) && kept->second == byte(2) && stored == a64l && in_data == a64l && dlsym(RTLD_DEFAULT, "a64l") == (void *)a64l; }
static const char *name(void) { Dl_info info; return dladdr((void *)a64l, &info) && info.dli_sname != NULL ? strstr(info.dli_fname, "libc.so") : NULL; }
static long called(void) { return stored("9") + in_data("1"); }`;

/** Its function is compared with that of the other library. */
const COMPARES = `#include <stdlib.h>
static PyObject *address(void) { return PyLong_FromVoidPtr((void *)a64l); }`;

describeWith(hasLinkablePython(), 'a Python of the system that can be relinked')('functions of libc', () => {
  let said = '';

  beforeAll(async () => {
    rig = await extensionRig(folder);
    const value =
      'Py_BuildValue("isNN", is_same(), name(), PyLong_FromLong(called()), PyLong_FromVoidPtr((void *)a64l))';
    await rig.compile(moduleSource('keeps', KEEPS, value), 'keeps.so');
    await rig.compile(moduleSource('compares', COMPARES, 'address()'), 'compares.so');
    said = await rig.build(out, '--startup', '--module', 'keeps', '--module', 'compares');
  });

  test('parts of their addresses leave nothing out, and all libraries have the same ones', async () => {
    expect(said).not.toContain('left out');
    const use = 'import keeps, compares; *said, own = keeps.state(); print(*said, own == compares.state())';
    const expected = await rig.start(SYSTEM_PYTHON, '-c', use);
    expect(expected).toEqual({exitCode: 0, stdout: '1 libc.so.6 14 True\n', stderr: ''});
    expect(await rig.start(out, '-c', use)).toEqual(expected);
    expect((await rig.start(out, '-c', `${use}; ${STATE}`)).stdout).toBe(`${expected.stdout}restored\n`);
  });
});
