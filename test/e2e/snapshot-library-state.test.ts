/** Snapshots with libraries that keep what belongs to a process: pointers into libc, threads, blocks of threads, mapped memory, formats of printf(). */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
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

/**
 * It makes tables with keys as Rust's library, libxml2 and an older libxml2 do, whose next keys each thread and generators keep, and memory with the address
 * of a frame that is gone.
 */
const DRAWS = `#include <stdint.h>
#include <string.h>
#include <time.h>
#include <sys/random.h>
static __thread uint64_t keys[2];
static uint64_t table[2], generator, other_table, third_table;
static unsigned int seeded, fixed = 42;
const char *failure = "libxml2: getentropy failed with error code %d";
static void **copied;
__attribute__((constructor)) static void construct(void) {
    char here;
    if (getrandom(keys, sizeof(keys), 4 /* GRND_INSECURE */) != sizeof(keys)) abort();
    memcpy(table, keys, sizeof(table)); keys[0]++;
    if (getentropy(&generator, sizeof(generator)) != 0) abort();
    other_table = generator++;
    seeded = time(NULL); third_table = rand_r(&seeded); (void)rand_r(&fixed);
    copied = malloc(sizeof(*copied)); memcpy(copied, &(void *){&here}, sizeof(*copied));
}`;

/** It maps a file, as libmagic does. */
const MAPS = `#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
static const char *text;
__attribute__((constructor)) static void construct(void) {
    int file = open(MAPPED, O_RDONLY);
    text = mmap(NULL, 8192, PROT_READ, MAP_SHARED, file, 4096); close(file);
}`;

/** It keeps when it was loaded, and where the stack was, and asks the dynamic linker for itself. */
const BEGINS = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static uint64_t first, second, *third;
static unsigned int stamp;
static int own;
static char *deep;
static int is_near(void) { char here; return deep - &here < 8 << 20 && &here - deep < 8 << 20; }
static uint64_t now(clockid_t clock) { struct timespec t; clock_gettime(clock, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static uint64_t us(void) { struct timeval t; gettimeofday(&t, NULL); return t.tv_sec * 1000000ull + t.tv_usec; }
__attribute__((constructor)) static void construct(void) {
    char here; deep = &here;
    first = now(CLOCK_MONOTONIC); second = now(CLOCK_MONOTONIC); third = malloc(sizeof(*third)); *third = us(); stamp = us() / 1000; own = getpid();
}
static int asked(void) {
    Dl_info info; struct link_map *map = NULL; char folder[4096] = "";
    void *handle = dladdr(&first, &info) ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD) : NULL;
    if (handle == NULL || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || dlinfo(handle, RTLD_DI_ORIGIN, folder) != 0) return 0;
    return map->l_addr == (uintptr_t)info.dli_fbase && strcmp(map->l_name, info.dli_fname) == 0 && strncmp(folder, map->l_name, strlen(folder)) == 0 && folder[0] == '/';
}
#define SINCE(began, end) (began != 0 && end - began < 20000000000ull)`;

/** Memory of one library that another one, which the program loads, makes larger and frees. */
const GIVES = `static char *given;
__attribute__((constructor)) static void construct(void) { given = strcpy(malloc(100), "given"); }`;
const TAKES = `static PyObject *take(void) {
    PyObject *gives = PyImport_ImportModule("gives"), *place = PyObject_CallMethod(gives, "state", NULL);
    char *taken = realloc(PyLong_AsVoidPtr(place), 5000);
    PyObject *text = PyUnicode_FromString(taken); free(taken); return text;
}`;

/** Its number has something in the bytes that are no part of it. */
const PADDED = `#include <unistd.h>
typedef struct { PyObject_HEAD long double value; } number;
static PyTypeObject type = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "numpy.longdouble", .tp_basicsize = sizeof(number), .tp_flags = Py_TPFLAGS_DEFAULT};
static PyObject *make(void) {
    if (PyType_Ready(&type) < 0) return NULL;
    number *made = PyObject_New(number, &type); int own = getpid();
    made->value = 0.25L; memcpy((char *)&made->value + 12, &own, 4); return (PyObject *)made;
}`;

/** It has a function of OpenSSL's own, as wheels with an OpenSSL have, and libc's variable of each thread. */
const SECOND = `#include <fcntl.h>
extern __thread int errno __attribute__((tls_model("initial-exec")));
void *EVP_RAND_CTX_new(void *kind, void *parent) { return kind; }
static int number(void) { return open("/nonexistent", O_RDONLY) < 0 ? errno : 0; }`;

/** It starts a thread that goes on, and may wait until that has begun. */
const GOES_ON = `#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
static sem_t begun;
static void *work(void *argument) { sem_post(&begun); for (;;) pause(); return NULL; }
static int wait(void) { return sem_wait(&begun) == 0 && sem_post(&begun) == 0; }
__attribute__((constructor)) static void construct(void) { pthread_t thread; sem_init(&begun, 0, 0); pthread_create(&thread, NULL, work, NULL); }`;

/** An allocator with locks, a heap's end, and a clock of its own, which keeps a variable's value, the key of a generator, and a thread's number cut. */
const ALLOCATES = `#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t lock;
static uint64_t key[4], copy[4], began;
static uint32_t cut, padded[2];
static const char *kept; static void *heap; static int (*code)(void);
static struct timespec later;
static uint64_t ms(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000ull + t.tv_nsec / 1000000; }
static void before(void) { pthread_mutex_lock(&lock); }
static void after(void) { pthread_mutex_unlock(&lock); }
__attribute__((constructor)) static void construct(void) {
    pthread_mutexattr_t checked; pthread_mutexattr_init(&checked); pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&lock, &checked); pthread_atfork(before, after, after);
    if (getrandom(key, sizeof(key), 0) != sizeof(key)) abort();
    memcpy(copy, key, sizeof(copy));
    cut = (uint32_t)(uintptr_t)pthread_self(); padded[1] = (uint32_t)((uintptr_t)pthread_self() >> 32);
    kept = getenv("KEPT"); heap = sbrk(0); began = ms();
    clock_gettime(CLOCK_MONOTONIC_COARSE, &later); later.tv_sec++;
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(code, "\\xb8\\x07\\x00\\x00\\x00\\xc3", 6); mprotect(code, 4096, PROT_READ | PROT_EXEC);
}
static int is_same(void) {
    return memcmp(key, copy, sizeof(key)) == 0 && cut == (uint32_t)(uintptr_t)pthread_self() && padded[1] == (uintptr_t)pthread_self() >> 32 &&
        pthread_mutex_lock(&lock) == 0 && pthread_mutex_unlock(&lock) == 0 && ms() - began < 20000;
}`.replace('#include <pthread.h>', '#define _GNU_SOURCE\n#include <pthread.h>\n#include <sys/mman.h>');

/** Its objects say when they end. */
const LOUD = `static void end(PyObject *object) { PyObject_GC_UnTrack(object); printf("ended\\n"); PyObject_GC_Del(object); }
static int visit(PyObject *object, visitproc visit, void *argument) { return 0; }
static PyTypeObject thing = {PyVarObject_HEAD_INIT(NULL, 0) .tp_name = "loud.Thing", .tp_basicsize = sizeof(PyObject), .tp_dealloc = end,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .tp_traverse = visit, .tp_new = PyType_GenericNew};`;

/** The page faults of a program with this snapshot, the least of a few runs. */
const FAULTS = `import os, sys
def faults():
    child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
    pid, status, usage = os.wait4(child, 0)
    assert status == 0
    return usage.ru_minflt
print(min(faults() for each in range(4)))`;

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
      moduleSource(
        'draws',
        DRAWS,
        'Py_BuildValue("KKKKIKKKI", table[0], table[1], other_table, third_table, fixed, keys[0], keys[1], generator, seeded)',
      ),
      'draws.so',
    );
    const times =
      'SINCE(first, now(CLOCK_MONOTONIC)), first < second, SINCE(*third, us()) && (unsigned int)(us() / 1000) - stamp < 20000u, asked() && own == getpid(), is_near()';
    await rig.compile(
      moduleSource('begins', BEGINS, `Py_BuildValue("iiiiiK", ${times}, first)`),
      'begins.so',
    );
    const own = 'Py_BuildValue("ii", EVP_RAND_CTX_new(&errno, NULL) == &errno, number())';
    await rig.compile(
      moduleSource('second', SECOND, own).replace(
        /^#include <Python.h>/,
        '#define errno other\n$&\n#undef errno',
      ),
      'second.so',
    );
    writeFileSync(join(rig.packages, 'with_second.py'), 'import ssl, second\n');
    const mapped = join(folder, 'mapped');
    writeFileSync(mapped, `${'-'.repeat(4096)}mapped`);
    const maps = moduleSource('maps', MAPS, 'PyUnicode_FromString(text)');
    await rig.compile(maps.replaceAll('MAPPED', JSON.stringify(mapped)), 'maps.so');
    const allocated = 'Py_BuildValue("iiisK", is_same(), code(), heap != NULL, kept, key[0])';
    await rig.compile(moduleSource('allocates', ALLOCATES, allocated), 'allocates.so', '-pthread');
    writeFileSync(
      join(rig.packages, 'with_value.py'),
      'import os\nos.environ["KEPT"] = "value"\nimport allocates\n',
    );
    await rig.compile(moduleSource('goes_on', GOES_ON, 'PyBool_FromLong(wait())'), 'goes_on.so', '-pthread');
    const waits = GOES_ON.replace(/ \}$/, ' wait(); }');
    await rig.compile(moduleSource('waits', waits, 'PyBool_FromLong(wait())'), 'waits.so', '-pthread');
    await rig.compile(moduleSource('padded', PADDED, 'make()'), 'padded.so');
    await rig.compile(moduleSource('gives', GIVES, 'PyLong_FromVoidPtr(given)'), 'gives.so');
    await rig.compile(moduleSource('takes', TAKES, 'take()'), 'takes.so', '-Wl,-z,now,-z,relro');
    writeFileSync(
      join(rig.packages, 'generators.py'),
      `import padded, random, tempfile
number = padded.state()
new, used, fixed, set_later = random.Random(), random.Random(), random.Random(5), random.Random()
used.gauss(0, 1), fixed.random(), set_later.seed(7)
names = tempfile._RandomNameSequence(); next(names)
`,
    );
    const examples = join(rig.packages, 'scipy', 'stats');
    mkdirSync(examples, {recursive: true});
    for (const each of [join(rig.packages, 'scipy'), examples]) writeFileSync(join(each, '__init__.py'), '');
    writeFileSync(
      join(examples, '_distribution_infrastructure.py'),
      `import os
def _generate_example(count): return [os.urandom(8).hex()] * (1 + os.urandom(1)[0])
text = repr(_generate_example(3))
`,
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
    await rig.compile(
      moduleSource(
        'says',
        LOUD.replace('printf', 'PySys_WriteStdout'),
        '(PyType_Ready(&thing), PyObject_CallNoArgs((PyObject *)&thing))',
      ),
      'says.so',
    );
    await rig.compile(
      moduleSource(
        'quiet',
        LOUD.replace(/printf\(.*?\);/, ''),
        '(PyType_Ready(&thing), PyObject_CallNoArgs((PyObject *)&thing))',
      ),
      'quiet.so',
    );
    said = await rig.build(
      out,
      '--startup',
      '--module',
      'with_variable',
      '--module',
      'uses_differing',
      ...['loud', 'says', 'quiet', 'maps', 'gives'].flatMap((name) => ['--module', name]),
      '--module',
      'with_value',
      '--module',
      'uses_drawing',
      '--module',
      'begins',
      '--module',
      'with_second',
      '--module',
      'generators',
      '--module',
      'scipy.stats._distribution_infrastructure',
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

  test('memory of a library may be freed by one that the program loads', async () => {
    const use = `import takes; print(takes.state()); ${STATE}`;
    expect(await rig.start(out, '-c', use)).toEqual({exitCode: 0, stdout: 'given\nrestored\n', stderr: ''});
  });

  test('an allocator has its locks, its keys and its code', async () => {
    expect(said).not.toMatch(/^ *(allocates|with_value): /m);
    const use = 'import with_value, allocates; print(*allocates.state()[:4])';
    expect((await rig.start(SYSTEM_PYTHON, '-c', use)).stdout).toBe('1 7 1 value\n');
    const keys = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const {stdout} = await rig.start(out, '-c', `${use}; print(allocates.state()[4]); ${STATE}`);
      const [, key = ''] = /^1 7 1 value\n(\d+)\nrestored\n$/.exec(stdout) ?? [];
      keys.add(key);
    }
    expect(keys).toHaveProperty('size', 3);
    expect(keys.has('')).toBe(false);
  });

  test('a thread that goes on begins at each start, unless an import waits for it', async () => {
    const other = join(folder, 'bin', 'other');
    expect(await rig.build(other, '--startup', '--module', 'goes_on')).not.toContain('left out');
    const use = 'import goes_on, os; print(goes_on.state(), len(os.listdir("/proc/self/task")))';
    expect((await rig.start(other, '-c', `${use}; ${STATE}`)).stdout).toBe('True 2\nrestored\n');
    const words = ['--startup', '--module', 'goes_on', '--module', 'waits'];
    expect(await rig.build(other, ...words)).toMatch(/^ *waits: its library starts a thread that goes on$/m);
    const both = 'import goes_on, waits; print(goes_on.state(), waits.state())';
    expect((await rig.start(other, '-c', `${both}; ${STATE}`)).stdout).toBe('True True\nrestored\n');
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
    expect(new Set(starts.map((each) => each.slice(0, 5).join()))).toHaveProperty('size', 1);
    for (const place of [5, 6, 7, 8])
      expect(new Set(starts.map((each) => each[place]))).toHaveProperty('size', 3);
  });

  test('a library has been loaded when the process began, and the dynamic linker knows it', async () => {
    expect(said).not.toMatch(/^ *begins: /m);
    const use = 'import begins; print(*begins.state()[:5])';
    expect(await rig.start(SYSTEM_PYTHON, '-c', use)).toMatchObject({stdout: '1 1 1 1 1\n', stderr: ''});
    const times = [];
    for (let i = 0; i < 3; i++) {
      const {stdout} = await rig.start(out, '-c', `${use}; print(begins.state()[5]); ${STATE}`);
      const [, time = ''] = /^1 1 1 1 1\n(\d+)\nrestored\n$/.exec(stdout) ?? [];
      times.push(BigInt(time));
    }
    expect(times[0]).toBeGreaterThan(0n);
    expect(times[1]).toBeGreaterThan(times[0] ?? 0n);
    expect(times[2]).toBeGreaterThan(times[1] ?? 0n);
  });

  test('generators that the system has seeded are seeded at each start, and no others', async () => {
    expect(said).not.toMatch(/^ *(generators|padded): /m);
    const use = 'import generators as g; print(g.fixed.random(), g.set_later.random())';
    const {stdout: expected} = await rig.start(SYSTEM_PYTHON, '-c', use);
    const drawn = new Set<string>();
    const own = `for each in g.new.random(), g.used.random(), next(g.names): print(each)\n${STATE}`;
    for (let i = 0; i < 3; i++) {
      const {stdout} = await rig.start(out, '-c', `${use}\n${own}`);
      expect(stdout.startsWith(expected)).toBe(true);
      expect(stdout.endsWith('\nrestored\n')).toBe(true);
      for (const line of stdout.slice(expected.length).split('\n').slice(0, 3)) drawn.add(line);
    }
    expect(drawn.size).toBe(9);
  });

  test('a second OpenSSL calls its own functions, and finds the errno of each thread', async () => {
    expect(said).not.toMatch(/^ *(with_)?second: |imports them: .*with_second/m);
    const use = `import with_second, second, threading
print(second.state())
thread = threading.Thread(target=lambda: print(second.state())); thread.start(); thread.join()`;
    expect((await rig.start(SYSTEM_PYTHON, '-c', use)).stdout).toBe('(1, 2)\n(1, 2)\n');
    expect((await rig.start(out, '-c', `${use}\n${STATE}`)).stdout).toBe('(1, 2)\n(1, 2)\nrestored\n');
  });

  test('examples of documentation may have random numbers', async () => {
    expect(said).not.toMatch(/^ *scipy\.stats\._distribution_infrastructure: /m);
    const use = 'import scipy.stats._distribution_infrastructure as m; print(len(m.text) % 20 == 0)';
    const own = `print(m.text == repr(m._generate_example(3)), m._generate_example(3) == m._generate_example(3)); ${STATE}`;
    expect((await rig.start(out, '-c', `${use}; ${own}`)).stdout).toBe('True\nFalse False\nrestored\n');
  });

  test('a file that a library maps is a part of the snapshot', async () => {
    const use = ['-c', `import maps; print(maps.state()); ${STATE}`];
    expect((await rig.start(out, ...use)).stdout).toBe('mapped\nrestored\n');
  });

  test('the end of an object that can be seen is seen', async () => {
    for (const kept of [
      'kept = loud.state()',
      'json.kept = loud.state()',
      'json.kept = says.state()',
      'def f(): pass\nf.kept = loud.state()',
    ]) {
      const use = `import json, loud, says\n${kept}\nprint(1, flush=True)`;
      const expected = await rig.start(SYSTEM_PYTHON, '-c', use);
      expect(expected).toEqual({exitCode: 0, stdout: '1\nended\n', stderr: ''});
      expect(await rig.start(out, '-c', use)).toEqual(expected);
    }
    const faults = async (code: string): Promise<number> =>
      Number((await rig.start(SYSTEM_PYTHON, '-c', FAULTS, out, '-c', code)).stdout);
    const quiet = 'import json, quiet; json.kept = quiet.state()';
    const least = await faults(`${quiet}; import os; os._exit(0)`);
    expect(await faults(`${quiet}; json.other = json.kept, json.kept`)).toBeLessThan(1.6 * least);
    writeFileSync(join(rig.packages, 'keeps_loud.py'), 'import loud\nkept = loud.state()\n');
    const other = join(folder, 'bin', 'other');
    expect(await rig.build(other, '--startup', '--module', 'keeps_loud')).not.toContain('left out');
    expect((await rig.start(other, '-c', STATE)).stdout).toBe('restored\nended\n');
    const mapped = join(folder, 'mapped');
    writeFileSync(mapped, readFileSync(mapped, 'utf8').replace('mapped', 'edited'));
    expect((await rig.start(out, '-c', 'import maps; print(maps.state())')).stdout).toBe('edited\n');
  });
});
