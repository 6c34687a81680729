/** Extension modules in shared libraries, what OpenSSL has drawn, arguments and streams that imports keep: as in a process of its own. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {run, withoutUsersVariables} from '../../support/rig.js';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-libraries');
let rig: SnapshotRig;

beforeAll(async () => {
  rig = await snapshotRig(folder);
  // Extension modules are compiled with what configure makes.
  expect((await rig.build('--startup')).summary.ok).toBe(true);
});

/** An extension module whose `state()` returns `value`. */
function source(name: string, {before = '', exec = '', value = 'PyLong_FromLong(0)'} = {}): string {
  return `#include <Python.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
${before}
static PyObject *state(PyObject *module, PyObject *unused) { return ${value}; }
static PyMethodDef methods[] = {{"state", state, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static int exec(PyObject *module) { ${exec} return 0; }
static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "${name}", NULL, 0, methods, slots};
PyMODINIT_FUNC PyInit_${name}(void) { return PyModuleDef_Init(&definition); }
`;
}

async function compile(name: string, text: string, flags: readonly string[] = []): Promise<string> {
  const file = join(folder, `${name}.c`);
  const library = join(rig.packages, `${name}.so`);
  writeFileSync(file, text);
  const headers = [join(rig.source, 'Include'), join(rig.unmodified, '..')].map((path) => `-I${path}`);
  const done = await run('cc', ['-shared', '-fPIC', '-O1', ...flags, ...headers, file, '-o', library], {
    cwd: folder,
    environment: withoutUsersVariables(),
  });
  expect(done).toMatchObject({exitCode: 0});
  return library;
}

/** Data, a constructor, memory of libc's allocator, functions of libc by their address, a key of threads, a type, a variable of the environment. */
const HELD = {
  before: `static int constructed, calls, is_changed;
static char *kept;
static pthread_key_t key;
static size_t (*const length)(const char *) = strlen;
static char **own_environment;
extern char **environ;
static PyType_Slot type_slots[] = {{0, NULL}};
static PyType_Spec type = {"held.Type", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, type_slots};
__attribute__((constructor)) static void begin(void) { constructed = 40; }
static int compare(const void *a, const void *b) { return *(const char *)a - *(const char *)b; }
static char *sorted(void) { qsort(kept, length(kept), 1, compare); return kept = realloc(kept, 5000); }`,
  exec: `constructed++;
    kept = strdup("tpek");
    pthread_key_create(&key, NULL);
    pthread_setspecific(key, &calls);
    PyModule_AddObject(module, "Type", PyType_FromSpec(&type));`,
  value: `Py_BuildValue("iisOi", constructed, ++calls, sorted(), pthread_getspecific(key) == &calls ? Py_True : Py_False,
    (int)(getenv("HELD") != NULL))`,
};

test('extension modules are held, but for those that cannot be, which are imported live', async () => {
  const held = await compile('held', source('held', HELD));
  await compile(
    'thread_local',
    source('thread_local', {before: 'static __thread char x[9000];', value: 'PyLong_FromLong(x[0]++)'}),
  );
  await compile(
    'at_exit',
    source('at_exit', {before: 'static void end(int x, void *y) {}', exec: 'on_exit(end, NULL);'}),
  );
  await compile('direct', source('direct'));
  await compile('in_cxx', source('in_cxx'), ['-Wl,--no-as-needed', '-lstdc++']);
  await compile(
    'number',
    source('number', {
      before: 'static long own;',
      exec: 'own = 7 * (long)getpid();',
      value: 'PyLong_FromLong(own - 7 * (long)getpid())',
    }),
  );
  writeFileSync(join(rig.packages, 'user.py'), 'import json, held, re\nclass Own(held.Type): pass\n');
  writeFileSync(
    join(rig.packages, 'optional.py'),
    'try:\n import at_exit\nexcept ImportError:\n at_exit = None\n',
  );
  const other = ['at_exit', 'in_cxx', 'number', 'thread_local'].map((name) => `uses_${name}`);
  for (const name of other) writeFileSync(join(rig.packages, `${name}.py`), `import ${name.slice(5)}\n`);
  const names = ['user', 'optional', 'direct', ...other];
  const {summary, stderr} = await rig.build('--startup', ...names.flatMap((name) => ['--module', name]));
  if (!summary.ok) throw new Error(stderr);
  expect(stderr).toMatch(/at_exit: .*at_exit\.so: it calls on_exit\(\)\)/);
  expect(stderr).not.toMatch(/^ *(in_cxx|thread_local): /m);
  expect(stderr).toMatch(/number: a variable of the library has another value in each process/);
  const loaded =
    'import sys; print([name in sys.modules for name in ("held", "user", "direct", "in_cxx", "thread_local", "optional", "number")])';
  expect(await rig.stateOf(rig.out, ['-c', `${loaded}; ${STATE}`])).toBe(
    '[True, True, True, True, True, False, False]\nrestored',
  );
  const use = `import held, user, gc, threading, thread_local, number, at_exit, in_cxx
print(held.state(), held.state(), user.Own.__mro__, type(user.Own()).__name__, number.state(), thread_local.state())
thread = threading.Thread(target=lambda: print(held.state())); thread.start(); thread.join()
import os, sys
if os.fork() == 0: print(held.state()); sys.stdout.flush(); os._exit(0)
os.wait(); gc.collect()`;
  for (const environment of [{}, {HELD: '1'}]) {
    const expected = await rig.start(rig.unmodified, ['-c', use], {environment});
    expect(expected).toMatchObject({exitCode: 0, stderr: ''});
    expect(await rig.start(rig.out, ['-c', use], {environment})).toEqual(expected);
  }
  // Another library of the same name.
  await compile('held', source('held', {...HELD, before: HELD.before.replace('= 40', '= 50')}));
  expect(held).toBe(join(rig.packages, 'held.so'));
  expect(await rig.stateOf(rig.out, ['-c', `import held; print(held.state()[0]); ${STATE}`])).toBe(
    '51\na file that imports read has changed',
  );
});

test('a library that the dynamic linker loads sees the same threads, and ends the process as CPython does', async () => {
  await compile(
    'seen',
    source('seen', {
      before: 'static __thread int own;',
      value: `(PyGC_Collect(), Py_BuildValue("kkii", PyThread_get_thread_ident(), PyThreadState_Get()->thread_id, own++,
        PyThread_get_thread_ident == (unsigned long (*)(void))PyLong_AsVoidPtr(PyObject_GetAttrString(module, "address"))))`,
    }),
  );
  const {summary, stderr} = await rig.build('--startup', '--trace', '-c "import ctypes, threading, weakref"');
  if (!summary.ok) throw new Error(stderr);
  const use = `import atexit, ctypes, seen, threading, weakref
api = ctypes.pythonapi
seen.address = ctypes.cast(api.PyThread_get_thread_ident, ctypes.c_void_p).value
api.PyThread_get_thread_ident.restype = ctypes.c_ulong
def see(): own, state, _, same = seen.state(); print(own == state == threading.get_ident() == api.PyThread_get_thread_ident(), same)
see(); thread = threading.Thread(target=see); thread.start(); thread.join()
atexit.register(print, 'end')
class A:
    def __del__(self): print('gone')
a = A()
api.Py_Exit(3)`;
  expect(await rig.stateOf(rig.out, ['-c', `${STATE}; import seen`])).toBe('restored');
  const done = await rig.start(rig.out, ['-c', use]);
  expect(done).toEqual({exitCode: 3, stdout: 'True 1\nTrue 1\nend\ngone\n', stderr: ''});
  expect(await rig.start(rig.unmodified, ['-c', use])).toEqual(done);
});

test('OpenSSL: contexts are kept, their keys are not', async () => {
  const pem = join(rig.source, 'Lib/test/certdata/keycert.pem');
  writeFileSync(
    join(rig.packages, 'contexts.py'),
    `import ssl
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(${JSON.stringify(pem)})
server.maximum_version = ssl.TLSVersion.TLSv1_2
client = ssl.create_default_context()
client.load_verify_locations(${JSON.stringify(pem)})
`,
  );
  const {summary, stderr} = await rig.build('--startup', '--module', 'contexts');
  if (!summary.ok) throw new Error(stderr);
  expect(stderr).not.toContain('left out');
  // The name of the key that the server's tickets are made with is in its NewSessionTicket message (RFC 5077).
  const shake = `import contexts, ssl
a, b, c, d = (ssl.MemoryBIO() for _ in range(4))
client = contexts.client.wrap_bio(a, b, server_hostname='localhost')
server = contexts.server.wrap_bio(c, d, server_side=True)
said = b''
for _ in range(4):
    for end in client, server:
        try: end.do_handshake()
        except ssl.SSLWantReadError: pass
        c.write(b.read())
        data = d.read(); said += data; a.write(data)
while said:
    size = int.from_bytes(said[3:5], 'big')
    if said[0] == 20: break # What follows a ChangeCipherSpec is encrypted.
    if said[0] == 22 and said[5] == 4: print(said[15:31].hex(), end=' ')
    said = said[5 + size:]
client.write(b'x'); c.write(b.read()); print(server.read(1), server.version(), ssl.RAND_bytes(16).hex())`;
  const inNamespace = ['unshare', '--user', '--map-current-user', '--pid', '--fork'];
  const canUnshare =
    (await run(inNamespace[0] ?? '', [...inNamespace.slice(1), 'true'], {cwd: folder, environment: {}}))
      .exitCode === 0;
  const seen = new Set<string>();
  for (let i = 0; i < 6; i++) {
    const words = canUnshare && i > 2 ? inNamespace : ['env'];
    const done = await rig.start(words[0] ?? '', [...words.slice(1), rig.out, '-c', `${shake}; ${STATE}`]);
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
    const printed = /^([0-9a-f]{32}) b'x' TLSv1\.2 ([0-9a-f]{32})\nrestored\n$/;
    expect(done.stdout).toMatch(printed);
    const [, name = '', bytes = ''] = printed.exec(done.stdout) ?? [];
    expect(name).not.toMatch(/^0*$/);
    seen.add(name).add(bytes);
  }
  expect(seen.size).toBe(12);
});

test('sys.argv is the list that imports have kept', async () => {
  writeFileSync(
    join(rig.packages, 'arguments.py'),
    `import os, sys
kept = sys.orig_argv
copy, encoded = sys.argv[:], [os.fsencode(each) for each in sys.argv]
def main(words=sys.argv): return words[1:], words is sys.argv, kept is sys.orig_argv, copy == words, encoded, copy is words
`,
  );
  const {summary, stderr} = await rig.build('--startup', '--module', 'arguments');
  if (!summary.ok) throw new Error(stderr);
  const print = 'import arguments; print(arguments.main())';
  const expected = "(['one', 'two'], True, True, True, [b'-c', b'one', b'two'], False)\n";
  expect(await rig.stateOf(rig.out, ['-c', `${print}; ${STATE}`, 'one', 'two'])).toBe(`${expected}restored`);
  expect(await rig.start(rig.unmodified, ['-c', print, 'one', 'two'])).toMatchObject({
    stdout: expected,
  });
});

test('what imports ask standard streams is compared', async () => {
  writeFileSync(
    join(rig.packages, 'asks.py'),
    'import sys\nis_terminal, kept = sys.stdout.isatty(), sys.stdin\n',
  );
  const {summary, stderr} = await rig.build('--startup', '--module', 'asks');
  if (!summary.ok) throw new Error(stderr);
  const code = `import asks; print(asks.is_terminal, asks.kept is None); ${STATE}`;
  expect(await rig.stateOf(rig.out, ['-c', code])).toBe('False False\nrestored');
  const words = [rig.out, '-c', code].map((word) => `'${word}'`).join(' ');
  expect((await rig.start('sh', ['-c', `${words} <&-`])).stdout).toBe(
    'False True\na standard stream is closed\n',
  );
  const inTerminal = await rig.start('script', ['-qec', words, '/dev/null']);
  expect(inTerminal.stdout).toContain('True False');
  expect(inTerminal.stdout).toContain('imports read whether standard streams are terminals');
});

test('streams can be sought or not as the files of the process can', async () => {
  const {summary, stderr} = await rig.build('--startup');
  if (!summary.ok) throw new Error(stderr);
  const text = join(folder, 'text.txt');
  const print = join(folder, 'print.txt');
  writeFileSync(text, 'first\nsecond\nthird\n');
  const code = `import sys
for each in sys.stdin, sys.stdout, sys.stderr:
    print(each.seekable(), each.line_buffering, each.name, each.buffer.raw.fileno(), each.encoding, each.errors)
print(sys.stdin.readline(), sys.stdin.seekable() and (sys.stdin.tell(), sys.stdin.seek(0)), sys.stdin.read())
print(sys.stdout.seekable() and sys.stdout.tell())`;
  writeFileSync(join(folder, 'seek.py'), code);
  const script = join(folder, 'seek.py');
  for (const shell of [
    `"$0" ${script} < ${text}`,
    `cat ${text} | "$0" ${script}`,
    `"$0" ${script} < ${text} > ${print}; cat ${print}`,
    `echo first > ${print}; "$0" ${script} < ${text} >> ${print}; cat ${print}`,
    `"$0" ${script} < /dev/null 2> /dev/null`,
    `script -qec "$0 ${script} < ${text}" /dev/null`,
  ]) {
    const [restored, expected] = [
      await rig.start('sh', ['-c', shell, rig.out]),
      await rig.start('sh', ['-c', shell, rig.unmodified]),
    ];
    expect(restored).toMatchObject({exitCode: 0, stderr: '', stdout: expected.stdout});
  }
  expect(await rig.stateOf(rig.out, ['-c', STATE])).toBe('restored');
});
