/** What imports do that is no reason to leave a module out of a snapshot. */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-kept');
let rig: SnapshotRig;
let packages: string;
let out: string;
const build: SnapshotRig['build'] = (...words) => rig.build(...words);
const start: SnapshotRig['start'] = (...of) => rig.start(...of);
const stateOf: SnapshotRig['stateOf'] = (...of) => rig.stateOf(...of);

beforeAll(async () => {
  rig = await snapshotRig(folder);
  ({packages, out} = rig);
});

describe('what imports may do', () => {
  test('variables that imports set and remove', async () => {
    writeFileSync(
      join(packages, 'sets.py'),
      'import os; os.environ["SET"] = "1"; os.environ.setdefault("SET_IF_UNSET", "2"); os.environ.pop("REMOVED", None)',
    );
    const {summary, stderr} = await build('--startup', '--module', 'sets');
    expect(summary).toMatchObject({ok: true});
    expect(stderr).not.toContain('left out');
    const use =
      'import sets, os; print([os.environ.get(name) for name in ("SET", "SET_IF_UNSET", "REMOVED")], flush=True); os.system("echo $SET $SET_IF_UNSET $REMOVED")';
    expect(await stateOf(out, ['-c', `${use}\n${STATE}`])).toBe("['1', '2', None]\n1 2\nrestored");
    const changed = {SET_IF_UNSET: '3', REMOVED: '4'};
    expect(await stateOf(out, ['-c', `${use}\n${STATE}`], {environment: changed})).toMatch(
      /^\['1', '3', None\]\n1 3\n.*an environment variable .* has another value/,
    );
  });

  test('a function that C calls, a handler, a library of each process, and variables that begin in one way', async () => {
    writeFileSync(
      join(packages, 'calls_back.py'),
      `import ctypes
libc = ctypes.CDLL("libc.so.6")
gone = ctypes.CFUNCTYPE(None)(print)
kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
order, back = kind(lambda a, b: a[0] - b[0]), kind(lambda a, b: b[0] - a[0])
del gone
libc.qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, kind]
def sort(numbers, how=order):
    array = (ctypes.c_int * len(numbers))(*numbers)
    libc.qsort(array, len(array), 4, how)
    return list(array)
assert sort([2, 1]) == [1, 2]
`,
    );
    writeFileSync(
      join(packages, 'own_variables.py'),
      'import os\nfound = {k: v.upper() for k, v in os.environ.items() if k.startswith("OWN_")}\n',
    );
    writeFileSync(
      join(packages, 'handles.py'),
      `import faulthandler, os, signal
seen = []
for number in signal.SIGTERM, signal.SIGINT: signal.signal(number, lambda number, frame: seen.append(int(number)))
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
faulthandler.enable()
`,
    );
    const environment = {OWN_ONE: 'a', OTHER: 'b'};
    const words = ['calls_back', 'own_variables', 'handles'].flatMap((name) => ['--module', name]);
    const {summary, stderr} = await build('--startup', ...words);
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    const use = `from calls_back import *
import own_variables
print(sort([3, 1, 2]), sort([3, 1, 2], back), sort([1, 2], kind(lambda a, b: b[0] - a[0])), own_variables.found)
del order, back
${STATE}`;
    const sorted = '[1, 2, 3] [3, 2, 1] [2, 1]';
    expect(await stateOf(out, ['-c', use])).toBe(`${sorted} {}\nrestored`);
    expect(await stateOf(out, ['-c', use], {environment})).toBe(
      `${sorted} {'OWN_ONE': 'A'}\nan environment variable that imports read has another value`,
    );
    expect(await stateOf(out, ['-c', use], {environment: {OTHER: 'b'}})).toBe(`${sorted} {}\nrestored`);
    const send = `import handles, os, signal
for number in signal.SIGTERM, signal.SIGINT: os.kill(os.getpid(), number)
print(handles.seen, signal.getsignal(signal.SIGPIPE), flush=True)
${STATE}
import sys; sys.stdout.flush(); signal.raise_signal(signal.SIGSEGV)`;
    const ended = await start(out, ['-c', send]);
    expect(ended.stdout).toBe('[15, 2] 0\nrestored\n');
    expect(ended.stderr).toContain('Fatal Python error: Segmentation fault');
  });

  test('a directory that it makes, and a cache that it writes when there is none', async () => {
    writeFileSync(
      join(packages, 'a_cache.py'),
      `import os
folder = ${JSON.stringify(join(packages, 'made'))}
try: os.mkdir(folder)
except FileExistsError: pass
if not os.path.exists(folder + '/cache'): open(folder + '/cache', 'w').write('filled')
value = open(folder + '/cache').read()
`,
    );
    const {summary, stderr} = await build('--startup', '--module', 'a_cache');
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    const value = ['-c', `import a_cache; print(a_cache.value)\n${STATE}`];
    expect(await stateOf(out, value)).toBe('filled\nrestored');
    rmSync(join(packages, 'made'), {recursive: true});
    expect(await stateOf(out, value)).toMatch(/^filled\n(?!restored)/);
  });

  test('changes of files that fail, warnings that nobody sees, and questions that programs answer', async () => {
    const nowhere = join(packages, 'nowhere');
    const code = {
      fails: `import os
for change in (lambda: open(${JSON.stringify(nowhere)} + '/file', 'w'), lambda: os.remove(${JSON.stringify(nowhere)} + '/file')):
    try: change()
    except FileNotFoundError: pass
`,
      // Not for __main__, which would see it (PEP 565).
      warns: 'import warnings; warnings.warn("old", DeprecationWarning, stacklevel=2)\n',
      imports_warning: 'import warns\n',
      asks: 'import platform, ctypes.util\nanswers = platform.architecture(), platform.processor(), ctypes.util.find_library("c")\n',
    };
    for (const [name, text] of Object.entries(code)) writeFileSync(join(packages, `${name}.py`), text);
    const names = ['fails', 'imports_warning', 'asks'];
    const {summary, stderr} = await build('--startup', ...names.flatMap((name) => ['--module', name]));
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    const use = `import fails, imports_warning, asks, platform; print(asks.answers[2], asks.answers[0] == platform.architecture())\n${STATE}`;
    expect(await stateOf(out, ['-c', use])).toBe('libc.so.6 True\nrestored');
    expect(await stateOf(out, ['-c', use], {environment: {PATH: '/nowhere'}})).toMatch(
      /^libc\.so\.6 .*\nan environment variable/,
    );
    mkdirSync(nowhere);
    expect(await stateOf(out, ['-c', use])).toMatch(/\na file that imports read has changed/);
    rmSync(nowhere, {recursive: true});
  });

  test('what each start does again: the locale, open devices; and the directory of temporary files', async () => {
    const code = `import locale, os, tempfile, time
chosen = locale.setlocale(locale.LC_ALL, "")
null, random = open(os.devnull, "w"), os.open("/dev/urandom", os.O_RDONLY)
os.set_inheritable(random, True)
directory = tempfile.gettempdir()
began, ticks, other = time.time(), time.monotonic_ns(), 5.0
import itertools, random as r
ids, drawn = itertools.count(r.getrandbits(60)), r.randint(1000, 10**18)
`;
    writeFileSync(join(packages, 'again.py'), code);
    writeFileSync(join(packages, 'shares.py'), 'from again import began\n');
    writeFileSync(
      join(packages, 'psutil.py'),
      `import threading
def cpu_times(percpu=False):
    with open("/proc/stat") as file: lines = file.read().splitlines()
    return lines[1:3] if percpu else lines[0]
_last_cpu_times = {threading.current_thread().ident: cpu_times()}
_last_per_cpu_times = {threading.current_thread().ident: cpu_times(percpu=True)}
_last_cpu_times_2 = _last_cpu_times.copy()
`,
    );
    const draw =
      'import again; print(next(again.ids) > 0, next(again.ids), again.drawn >= 1000, again.drawn)';
    const temporary = join(folder, 'temporary');
    mkdirSync(temporary);
    const modules = ['shares', 'psutil'].flatMap((name) => ['--module', name]);
    const {summary, stderr} = await rig.buildWith({TMPDIR: temporary}, '--startup', ...modules);
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    const built = Date.now() / 1000;
    const use = `from again import *
import psutil, shares, threading
own = threading.get_ident()
print([times[own][:4] for times in (psutil._last_cpu_times, psutil._last_cpu_times_2)], psutil._last_per_cpu_times[own][0][:4])
print(shares.began is began, type(began), began > ${built}, type(ticks), ticks > 0, other)
print(locale.setlocale(locale.LC_ALL) == chosen == locale.setlocale(locale.LC_ALL, ""), directory == os.environ["TMPDIR"])
print(null.write("text"), null.flush(), os.get_inheritable(null.fileno()), os.get_inheritable(random), len(os.read(random, 8)))
${STATE}`;
    const surroundings = {environment: {TMPDIR: temporary}};
    const same =
      "['cpu ', 'cpu '] cpu0\nTrue <class 'float'> True <class 'int'> True 5.0\nTrue True\n4 None False True 8\n";
    expect(await stateOf(out, ['-c', use], surroundings)).toBe(`${same}restored`);
    expect(await stateOf(out, ['-c', use], {environment: {TMPDIR: folder}})).toMatch(
      /\nan environment variable/,
    );
    expect(await stateOf(out, ['-c', use], {environment: {TMPDIR: temporary, LC_TIME: 'C'}})).toMatch(
      /\nan environment variable/,
    );
    const draws = await Promise.all([1, 2].map(() => stateOf(out, ['-c', draw], surroundings)));
    for (const each of draws) expect(each).toMatch(/^True \d+ True \d+$/);
    expect(draws[0]?.split(' ')[1]).not.toBe(draws[1]?.split(' ')[1]);
    expect(draws[0]?.split(' ')[3]).not.toBe(draws[1]?.split(' ')[3]);
    // A number that the process has already.
    const shell = `exec "$0" -c "$1" ${[3, 4, 5, 6].map((number) => `${number}</dev/zero`).join(' ')}`;
    const taken = await start('bash', ['-c', shell, out, use], surroundings);
    expect(taken).toMatchObject({exitCode: 0, stderr: ''});
    expect(taken.stdout).toBe(`${same}a device that imports leave open has the number of another file\n`);
  });

  test('libraries that ctypes loads by their names', async () => {
    const code = `import ctypes, ctypes.util
libc, length = ctypes.CDLL("libc.so.6"), ctypes.CDLL("libc.so.6").strlen
zlib = ctypes.CDLL(ctypes.util.find_library("z"))
zlib.zlibVersion.restype = ctypes.c_char_p
`;
    writeFileSync(join(packages, 'libraries.py'), code);
    const {summary, stderr} = await build('--startup', '--module', 'libraries');
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    const use = `from libraries import *; import os
def place(function): return ctypes.cast(function, ctypes.c_void_p).value
print(length(b"four"), libc.getpid() == os.getpid(), place(libc.getpid) == place(ctypes.CDLL(None).getpid) == place(ctypes.CDLL("libc.so.6").getpid))
print(zlib.zlibVersion().decode()[:2], place(zlib.zlibVersion) == place(ctypes.CDLL("libz.so.1").zlibVersion), hasattr(libc, "no_such"))
${STATE}`;
    expect(await stateOf(out, ['-c', use])).toBe('4 True True\n1. True False\nrestored');
  });

  test('what only looks whether it could use the network, as urllib3 does', async () => {
    writeFileSync(
      join(packages, 'tries_address.py'),
      'import socket\nwith socket.socket(type=socket.SOCK_DGRAM) as s: s.bind(("127.0.0.1", 0))\n',
    );
    const {summary, stderr} = await build('--startup', '--module', 'tries_address');
    expect(summary).toMatchObject({ok: true});
    expect(stderr).not.toContain('left out');
  });

  test('copies of all arguments', async () => {
    writeFileSync(
      join(packages, 'a_copy.py'),
      `import os, sys
all, same, copy = list(sys.argv), [*sys.argv], sys.argv.copy()
encoded = [os.fsencode(each) for each in sys.argv]
`,
    );
    const {summary, stderr} = await build('--startup', '--module', 'a_copy');
    expect(summary).toMatchObject({ok: true});
    expect(stderr).not.toContain('left out');
    const print =
      'import a_copy, os, sys; print(a_copy.all == a_copy.same == a_copy.copy == sys.argv == [*map(os.fsdecode, a_copy.encoded)], len(a_copy.all))';
    expect(await stateOf(out, ['-c', `${print}\n${STATE}`, 'one'])).toBe('True 2\nrestored');
  });
});
