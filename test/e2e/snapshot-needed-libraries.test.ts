/** Snapshots of an installed Python whose extension modules need other libraries: those of the system, and libraries that use what a linker has. */
import {renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type ExtensionRig, extensionRig, moduleSource} from '../support/extension-rig.js';
import {SYSTEM_PYTHON, hasLinkablePython} from '../support/linkable-python.js';
import {STATE} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(30 * 60_000);
const folder = temporaryDirectory('snapshot-needed-libraries');
let rig: ExtensionRig;
const start: ExtensionRig['start'] = (...words) => rig.start(...words);

describeWith(hasLinkablePython(), 'a Python of the system that can be relinked')('of the system', () => {
  const out = join(folder, 'bin', 'python');

  beforeAll(async () => {
    rig = await extensionRig(folder);
    const names = ['ssl', 'hashlib', 'bz2', 'lzma', 'ctypes', 'sqlite3', 'uuid', 'asyncio'];
    expect(await rig.build(out, '--startup', ...names.flatMap((name) => ['--module', name]))).not.toContain(
      'left out of the snapshot',
    );
  });

  test('libraries that extension modules need are held, and do what they do', async () => {
    const program = join(folder, 'program.py');
    writeFileSync(
      program,
      `import asyncio, bz2, ctypes, hashlib, lzma, os, sqlite3, ssl, sys, threading, uuid
print(hashlib.sha256(b'x').hexdigest(), hashlib.new('md5', b'a').hexdigest(), hashlib.scrypt(b'p', salt=b's', n=2, r=8, p=1).hex())
print(bz2.decompress(bz2.compress(b'y' * 999)) == b'y' * 999, lzma.decompress(lzma.compress(b'z' * 99)))
print(sqlite3.connect(':memory:').execute('select 6 * 7, sqlite_version()').fetchone())
print(ssl.create_default_context().verify_mode, ssl.OPENSSL_VERSION, len(ssl.RAND_bytes(16)))
pointer = ctypes.POINTER(ctypes.c_int)
numbers, program = (ctypes.c_int * 5)(5, 1, 4, 2, 3), ctypes.CDLL(None)
program.qsort(numbers, 5, 4, ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer)(lambda a, b: a[0] - b[0]))
text = ctypes.create_string_buffer(b'abc'); ctypes.memset(text, 65, 2)
print(list(numbers), text.value, ctypes.string_at(text, 2))
library = ctypes.CDLL('libsqlite3.so.0')
print(library.sqlite3_libversion_number())
try: library.nothing_of_this_name
except AttributeError as error: print(error)
print(len({uuid.uuid1() for _ in range(9)}), uuid.uuid1().version)
async def main(): return await asyncio.to_thread(lambda: hashlib.sha1(b'q' * 100000).hexdigest())
print(asyncio.run(main()))
thread = threading.Thread(target=lambda: print(uuid.uuid1().version, ssl.RAND_status())); thread.start(); thread.join()
sys.stdout.flush()
if os.fork() == 0: print(hashlib.sha512(b'').hexdigest()); sys.stdout.flush(); os._exit(0)
os.wait()
`,
    );
    const expected = await start(SYSTEM_PYTHON, program);
    expect(expected).toMatchObject({exitCode: 0, stderr: ''});
    expect(await start(out, program)).toEqual(expected);
    expect((await start(out, '-c', STATE)).stdout).toBe('restored\n');
  });

  test('OpenSSL draws other numbers in each of a thousand starts, also with one number of the process', async () => {
    const draw = `import ssl; print(ssl.RAND_bytes(12).hex())`;
    const inNamespace = 'unshare --user --map-current-user --pid --fork';
    const canUnshare = (await start('sh', '-c', `${inNamespace} true`)).exitCode === 0;
    const loop = `for i in $(seq $1); do ${canUnshare ? inNamespace : ''} "$0" -c '${draw}'; done`;
    const drawn = (await start('sh', '-c', loop, out, '1000')).stdout.trim().split('\n');
    expect(drawn).toHaveLength(1000);
    expect(new Set(drawn).size).toBe(1000);
  });

  test('another LD_LIBRARY_PATH means an ordinary start', async () => {
    const other = `LD_LIBRARY_PATH=${join(folder, 'other')}`;
    const {stdout} = await start('env', other, out, '-c', STATE);
    expect(stdout).not.toBe('restored\n');
  });

  test('what a library has of the dynamic linker and of libc it has after a restore, too', async () => {
    writeFileSync(join(folder, 'versions'), 'OWN_1 { global: *; };\n');
    await rig.compile(
      `#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static __thread int own = 40; __thread int shared;
static int constructed;
static void say(const char *text, int size) { if (write(1, text, size) < 0) abort(); }
static void at_end(void) { say("atexit\\n", 7); }
__attribute__((destructor)) static void destruct(void) { say("destructor\\n", 11); }
__attribute__((constructor)) static void construct(void) { constructed = 7; atexit(at_end); }
static int chosen(void) { return 3; }
static int (*resolve(void))(void) { return chosen; }
int choice(void) __attribute__((ifunc("resolve")));
int overridden(void) { return 1; }
int call(void) { return overridden(); }
int count(void) { return constructed * 1000 + ++own; }`,
      'libown.so.1',
      ...['-Wl,-soname,libown.so.1', `-Wl,--version-script=${join(folder, 'versions')}`],
    );
    await rig.compile(
      moduleSource(
        'needs_own',
        `#include <dlfcn.h>
extern __thread int shared;
int choice(void), call(void), count(void);
int overridden(void) { return 2; }
static int has_name(void) { Dl_info info; return dladdr((void *)state_of, &info) != 0; }`.replace(
          'state_of',
          'overridden',
        ),
        'Py_BuildValue("iiiii", choice(), call(), count(), ++shared, has_name())',
      ),
      'needs_own.so',
      ...['-Wl,-rpath,$ORIGIN', `-L${rig.packages}`, '-l:libown.so.1'],
    );
    await rig.compile(
      moduleSource(
        'in_cxx',
        `#include <stdexcept>
#include <string>
static int thrown(int x) { try { if (x > 0) throw std::runtime_error("no"); return 0; } catch (const std::exception &e) { return (int)std::string(e.what()).size(); } }`,
        'PyLong_FromLong(thrown(1))',
      ),
      'in_cxx.so',
    );
    const program = join(folder, 'bin', 'own');
    const words = ['--module', 'needs_own', '--module', 'in_cxx'];
    expect(await rig.build(program, '--startup', ...words)).not.toContain('left out of the snapshot');
    const use = `import in_cxx, needs_own, threading
print(needs_own.state(), needs_own.state(), in_cxx.state(), flush=True)
thread = threading.Thread(target=lambda: print(needs_own.state(), flush=True)); thread.start(); thread.join()`;
    const expected = await start(SYSTEM_PYTHON, '-c', use);
    expect(expected).toMatchObject({exitCode: 0, stderr: ''});
    expect(expected.stdout).toMatch(
      /^\(3, 2, 7041, 1, 1\) \(3, 2, 7042, 2, 1\) 2\n\(3, 2, 7041, 1, 1\)\natexit\ndestructor\n$/,
    );
    expect(await start(program, '-c', use)).toEqual(expected);
    expect((await start(program, '-c', STATE)).stdout).toMatch(/^restored\n/);
    // A module that is imported later gets the library that is there already.
    await rig.compile(
      moduleSource('later', 'int count(void);', 'PyLong_FromLong(count())'),
      'later.so',
      ...['-Wl,-rpath,$ORIGIN', `-L${rig.packages}`, '-l:libown.so.1'],
    );
    await rig.build(program, '--startup', ...words);
    const both = `${use}\nimport later; print(later.state(), needs_own.state()[2], flush=True); ${STATE}`;
    expect((await start(program, '-c', both)).stdout).toContain('\n7043 7044\nrestored\n');
    // Without the library that it needs, the program is as without a snapshot.
    renameSync(join(rig.packages, 'libown.so.1'), join(rig.packages, 'libown.so.2'));
    const gone = await start(program, '-c', use);
    expect(gone.exitCode).toBe(1);
    expect(gone.stderr).toContain('ImportError: libown.so.1');
  });

  test('what the dynamic linker has loaded after the start there is once, also for modules that need a held library', async () => {
    const library = (name: string, text: string): Promise<void> =>
      rig.compile(text, `lib${name}.so.1`, `-Wl,-soname,lib${name}.so.1`);
    await library('counts', 'static int counted; int count(void) { return ++counted; }');
    await library('kept', 'int kept(void) { return 5; }');
    // Nothing calls it, and nobody can hold it.
    await library(
      'never',
      '#include <stdlib.h>\nint never(void) { return on_exit((void (*)(int, void *))0, 0); }',
    );
    const module = (
      name: string,
      declared: string,
      value: string,
      ...needs: readonly string[]
    ): Promise<void> =>
      rig.compile(
        moduleSource(name, declared, value),
        `${name}.so`,
        ...['-Wl,--no-as-needed', '-Wl,-rpath,$ORIGIN', `-L${rig.packages}`],
        ...needs.map((each) => `-l:lib${each}.so.1`),
      );
    await module('holds', 'int kept(void);', 'PyLong_FromLong(kept())', 'kept');
    await module('live', 'int count(void);', 'PyLong_FromLong(count())', 'never', 'counts');
    await module(
      'live_and_held',
      'int count(void), kept(void);',
      'Py_BuildValue("ii", count(), kept())',
      ...['counts', 'kept'],
    );
    const program = join(folder, 'bin', 'both');
    const said = await rig.build(program, '--startup', '--module', 'holds');
    expect(said).not.toContain('left out of the snapshot');
    const use = `import holds, live, live_and_held
print(live.state(), live_and_held.state(), live.state(), holds.state())`;
    expect((await start(SYSTEM_PYTHON, '-c', use)).stdout).toBe('1 (2, 5) 3 5\n');
    expect((await start(program, '-c', `${use}\n${STATE}`)).stdout).toBe('1 (2, 5) 3 5\nrestored\n');
  });
});
