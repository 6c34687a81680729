/** What a snapshot cannot hold, and what it was good for: what the imports looked at. */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import type {Run, run} from '../../support/rig.js';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-left-out');
let rig: SnapshotRig;
let packages: string;
let out: string;
let unmodified: string;
const build: SnapshotRig['build'] = (...words) => rig.build(...words);
const start: SnapshotRig['start'] = (...of) => rig.start(...of);
const stateOf: SnapshotRig['stateOf'] = (...of) => rig.stateOf(...of);

beforeAll(async () => {
  rig = await snapshotRig(folder);
  ({packages, out, unmodified} = rig);
});

describe('what cannot be kept is left out', () => {
  type Unkeepable = readonly [name: string, code: string, reason: RegExp];
  const MODULES: readonly Unkeepable[] = [
    [
      'a_clock',
      'import time\nnow = time.time_ns() + 1',
      /a_clock \(.*a_clock\.py:2\): it reads a clock .*now has another value/,
    ],
    ['some_bytes', 'import os; key = os.urandom(16)[::-1]', /some_bytes \(.*\): it reads random numbers/],
    [
      'a_number',
      'import os; number = os.getpid() + 1',
      /a_number \(.*\): it reads the number of the process/,
    ],
    [
      'a_random',
      'import random; number = random.random() + 1',
      /a_random: number has another value in each process \(float\)/,
    ],
    [
      'a_date',
      'import datetime\nclass C: made = datetime.datetime.now()',
      /a_date: C has another value .* \(datetime\)/,
    ],
    [
      'openssl',
      'import ssl; key = ssl.RAND_bytes(16)',
      /openssl: key has another value in each process \(bytes\)/,
    ],
    ['a_file', 'file = open(__file__)', /a_file \(.*:1\): it leaves .*a_file\.py open/],
    ['a_socket', 'import socket; kept = socket.socket()', /a_socket \(.*:1\): it leaves a socket open/],
    [
      'a_thread',
      'import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
      /a_thread \(.*:1\): it starts a thread that goes on/,
    ],
    [
      'a_child',
      'import subprocess\n\nchild = subprocess.Popen(["true"])',
      /a_child \(.*:3\): it runs another program \(true\)/,
    ],
    [
      'most_variables',
      'import os; copy = [v for k, v in os.environ.items() if k.startswith("OWN_") or k.endswith("_OWN")]',
      /most_variables \(.*:1\): it reads the whole environment/,
    ],
    [
      'all_variables',
      'import os; copy = dict(os.environ)',
      /all_variables \(.*:1\): it reads the whole environment/,
    ],
    ['a_directory', 'import os; os.chdir("/usr")', /a_directory \(.*:1\): it changes the working directory/],
    ['a_stream', 'import sys, io; sys.stdout = io.StringIO()', /a_stream: it changes a standard stream/],
    ['an_argument', 'import sys; rest = sys.argv[1:]', /an_argument \(.*:1\): it reads the arguments/],
    ['a_name', 'import sys; name = sys.argv[0]', /a_name: it reads the name of the program/],
  ];

  /** What a start would have to do again. */
  const ACTIONS: readonly Unkeepable[] = [
    ['a_log', 'open(__file__ + ".log", "w").close()', /a_log \(.*:1\): it writes .*a_log\.py\.log/],
    [
      'an_address',
      'import socket\nwith socket.socket(type=socket.SOCK_DGRAM) as s: s.connect(("127.0.0.1", 9))',
      /an_address \(.*:2\): it uses the network/,
    ],
    ['a_print', 'print("at import")', /a_print: it prints/],
    ['a_command', 'import os; os.system("true")', /a_command \(.*:1\): it runs another program/],
    ['a_mask', 'import os; os.umask(0o27)', /a_mask: it changes the process itself \(the umask\)/],
    [
      'a_limit',
      'import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (200, r.getrlimit(r.RLIMIT_NOFILE)[1]))',
      /a_limit: it changes the process itself \(Max open files\)/,
    ],
    [
      'a_rounding',
      'import ctypes; ctypes.CDLL(None).fesetround(0x800)',
      /a_rounding: it changes the process itself \(how floating-point numbers are rounded\)/,
    ],
    [
      'a_memory_file', // nothing reports it
      'import os; kept = os.memfd_create("kept")',
      /a_memory_file: it leaves \/memfd:kept \(deleted\) open/,
    ],
  ];

  test('variables that imports set and remove are none of that', async () => {
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

  test('nor a function that C calls, a handler, a library of each process, or variables that begin in one way', async () => {
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

  test('but not a directory that it makes, nor a cache that it writes when there is none', async () => {
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

  test('nor changes of files that fail, warnings that nobody sees, and questions that programs answer', async () => {
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

  test('nor what each start does again: the locale, open devices; nor the directory of temporary files', async () => {
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

  test('where a module would have been found earlier, the start is an ordinary one', async () => {
    const place = join(folder, 'place');
    mkdirSync(join(place, 'bin'), {recursive: true});
    writeFileSync(join(place, 'tool.py'), `import argparse; print(argparse.__file__)\n${STATE}`);
    writeFileSync(
      join(packages, 'looks.py'),
      'import importlib.metadata as m\nfound = sorted({each.metadata["Name"] for each in m.distributions()})\n',
    );
    const {summary, stderr} = await build(
      '--startup',
      '--module',
      'argparse',
      '--module',
      'looks',
      '--trace',
      '-m json.tool --help',
    );
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    const here = {cwd: place};
    const words = ['-c', `import argparse, looks; print(looks.found)\n${STATE}`];
    expect(await stateOf(out, ['tool.py'], here)).toMatch(/restored$/);
    expect(await stateOf(out, words, here)).toMatch(/restored$/);
    // The module that -m runs is not imported before.
    expect(await start(out, ['-m', 'json.tool', '--help'], here)).toEqual(
      await start(unmodified, ['-m', 'json.tool', '--help'], here),
    );
    const differs = /\nthe first entry of sys\.path has a module or metadata/;
    const both = async (): Promise<void> => {
      for (const args of [['tool.py'], [join(place, 'tool.py')], words]) {
        const expected = await start(
          unmodified,
          args.map((each) => each.replace(STATE, 'pass')),
          here,
        );
        const said = await stateOf(out, args, here);
        expect(said).toMatch(differs);
        if (!args[0]?.endsWith('tool.py')) expect(said.split('\n')[0]).toBe(expected.stdout.trim());
      }
    };
    writeFileSync(join(place, 'argparse.py'), '');
    await both();
    rmSync(join(place, 'argparse.py'));
    mkdirSync(join(place, 'argparse'));
    expect(await stateOf(out, ['tool.py'], here)).toMatch(/restored$/);
    writeFileSync(join(place, 'argparse', '__init__.py'), '');
    await both();
    rmSync(join(place, 'argparse'), {recursive: true});
    mkdirSync(join(place, 'own-1.dist-info'));
    writeFileSync(
      join(place, 'own-1.dist-info', 'METADATA'),
      'Metadata-Version: 2.1\nName: own\nVersion: 1\n',
    );
    await both();
    // From anywhere else it is as before, and a module that is in the snapshot may lie in the first entry.
    expect(await stateOf(out, words)).toMatch(/restored$/);
    expect(await stateOf(out, words, {cwd: packages})).toMatch(/restored$/);
  });

  test('nor libraries that ctypes loads by their names', async () => {
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

  test('and what acts on something else than memory', async () => {
    for (const [name, code] of ACTIONS) writeFileSync(join(packages, `${name}.py`), `${code}\n`);
    const {summary, stderr} = await build('--startup', ...ACTIONS.flatMap(([name]) => ['--module', name]));
    if (!summary.ok) throw new Error(stderr);
    for (const [, , reason] of ACTIONS) expect(stderr).toMatch(reason);
    expect(await stateOf(out, ['-c', `import a_mask, os; print(os.umask(0))\n${STATE}`])).toBe(
      '23\nrestored',
    );
  });

  test('but not what only looks whether it could use the network, as urllib3 does', async () => {
    writeFileSync(
      join(packages, 'tries_address.py'),
      'import socket\nwith socket.socket(type=socket.SOCK_DGRAM) as s: s.bind(("127.0.0.1", 0))\n',
    );
    const {summary, stderr} = await build('--startup', '--module', 'tries_address');
    expect(summary).toMatchObject({ok: true});
    expect(stderr).not.toContain('left out');
  });

  test('modules that import each other begin in the order of the program', async () => {
    writeFileSync(join(packages, 'z_ring.py'), 'import a_ring\nIS_DONE = True\n');
    writeFileSync(join(packages, 'a_ring.py'), 'import z_ring\nSEEN = hasattr(z_ring, "IS_DONE")\n');
    const {summary, stderr} = await build('--startup', '--trace', '-c "import z_ring"');
    if (!summary.ok) throw new Error(stderr);
    expect(await stateOf(out, ['-c', `import z_ring; print(z_ring.a_ring.SEEN)\n${STATE}`])).toBe(
      'False\nrestored',
    );
  });

  test('but not what is imported after that', async () => {
    writeFileSync(join(packages, 'comes_after.py'), 'IS_KEPT = True\n');
    writeFileSync(
      join(packages, 'comes_before.py'),
      'import os\nos.umask(0o27)\nkept = os.eventfd(0)\nimport comes_after\n',
    );
    const {summary, stderr} = await build('--startup', '--module', 'comes_before');
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).toMatch(/comes_before: it changes the process itself \(the umask\)/);
    const kept = 'import sys; print("comes_after" in sys.modules, "comes_before" in sys.modules)';
    expect(await stateOf(out, ['-c', `${kept}\n${STATE}`])).toBe('True False\nrestored');
  });

  test('with what has it from a package that imports it when it is asked for', async () => {
    mkdirSync(join(packages, 'lazily'), {recursive: true});
    writeFileSync(
      join(packages, 'lazily', '__init__.py'),
      'def __getattr__(name):\n    import importlib\n    return importlib.import_module(f"lazily.{name}")\n',
    );
    writeFileSync(join(packages, 'lazily', 'moment.py'), 'import time\nNOW = time.time_ns() + 1\n');
    writeFileSync(join(packages, 'is_first.py'), 'import lazily.moment\n');
    // Nothing is imported here when the other one has been: the attribute is there.
    writeFileSync(join(packages, 'is_hidden.py'), 'import lazily\nIS_LATE = lazily.moment.NOW > 0\n');
    writeFileSync(
      join(packages, 'reads_path_below_file.py'),
      `import os\nos.path.exists(__file__ + '/nothing')\n`,
    );
    const names = ['is_first', 'is_hidden', 'reads_path_below_file'];
    const {summary, stderr} = await build('--startup', ...names.flatMap((name) => ['--module', name]));
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).toMatch(/lazily\.moment .*it reads a clock/);
    expect(stderr).toMatch(/and what imports them: is_first, is_hidden/);
    const kept = `import sys; print([name in sys.modules for name in ${JSON.stringify(names)}])`;
    expect(await stateOf(out, ['-c', `${kept}\n${STATE}`])).toBe('[False, False, True]\nrestored');
  });

  test('with what imports it, and imported live', async () => {
    for (const [name, code] of MODULES) writeFileSync(join(packages, `${name}.py`), `${code}\n`);
    writeFileSync(join(packages, 'a_user.py'), 'import json\nfrom a_clock import now\n');
    writeFileSync(
      join(packages, 'a_late_user.py'),
      'def now():\n    from a_clock import now\n    return now\n',
    );
    const names = [...MODULES.map(([name]) => name), 'a_user', 'a_late_user', 'json'];
    const {summary, stderr} = await build('--startup', ...names.flatMap((name) => ['--module', name]));
    expect(summary).toMatchObject({ok: true});
    for (const [, , reason] of MODULES) expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/and what imports them: .*a_user/);
    const kept =
      'import sys; print([name in sys.modules for name in ("json", "a_late_user", "a_clock", "a_user", "ssl")])';
    expect(await stateOf(out, ['-c', `${kept}\n${STATE}`])).toBe(
      // What a module that is left out imports besides is kept.
      '[True, True, False, False, True]\nrestored',
    );
    const live =
      'import a_user, a_late_user, time; print(0 <= time.time_ns() - a_user.now < 60e9, a_late_user.now() == a_user.now)';
    expect(await start(out, ['-c', live])).toMatchObject({exitCode: 0, stdout: 'True True\n', stderr: ''});
    const again = await build('--startup', ...names.flatMap((name) => ['--module', name]));
    expect(again.summary).toMatchObject({ok: true, executed: []});
  });

  test('also what becomes of arguments, but for copies of all', async () => {
    const used = {
      an_option: 'more = [a for a in sys.argv if a == "-v"]',
      a_number_of_them: 'more = len(sys.argv) > 1',
      some_text: 'line = " ".join(sys.argv)',
      a_last_one: 'last = sys.argv[-1]',
      a_dictionary: 'seen = dict.fromkeys(sys.argv)',
      a_first_one: 'all = list(sys.argv); first = all[0]',
      a_length: 'all = list(sys.argv); more = len(all) > 1',
    };
    for (const [name, code] of Object.entries(used)) {
      writeFileSync(join(packages, `${name}.py`), `import sys\n${code}\n`);
    }
    const names = Object.keys(used);
    const {summary, stderr} = await build('--startup', ...names.flatMap((name) => ['--module', name]));
    expect(summary).toMatchObject({ok: true});
    for (const name of Object.keys(used)) {
      expect(stderr).toMatch(new RegExp(`  ${name} \\(.*:2\\): it reads the arguments of the program`));
      rmSync(join(packages, `${name}.py`));
    }
  });

  test('but no copies of all arguments', async () => {
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

  test('also a lock that is held, when no other thread holds some, and settings of streams', async () => {
    writeFileSync(join(packages, 'a_lock.py'), 'import threading\nkept = threading.Lock()\nkept.acquire()\n');
    writeFileSync(
      join(packages, 'an_rlock.py'),
      'import threading\nkept = threading.RLock()\nkept.acquire()\n',
    );
    writeFileSync(join(packages, 'a_setting.py'), 'import sys\nsys.stdout.reconfigure(errors="replace")\n');
    const names = ['a_lock', 'an_rlock', 'a_setting'].flatMap((name) => ['--module', name]);
    const {summary, stderr} = await build('--startup', ...names);
    expect(summary).toMatchObject({ok: true});
    expect(stderr).toMatch(/a_lock: it leaves a lock held \(kept\)/);
    expect(stderr).toMatch(/an_rlock: it leaves a lock held \(kept\)/);
    expect(stderr).toMatch(/a_setting: it changes a standard stream/);
  });

  test('but imports that end the process fail', async () => {
    writeFileSync(join(packages, 'an_end.py'), 'import os; os._exit(7)\n');
    const {summary, stderr} = await build('--startup', '--module', 'an_end');
    expect(summary.ok).toBe(false);
    expect(stderr).toContain('error[SNAPSHOT]: the imports end the process');
    // What lies at the output path works, without a snapshot.
    expect(await stateOf()).toBe('there is none');
  });
});

describe('what imports read', () => {
  const SOURCE = `import os
cwd, cpus, host, is_terminal = os.getcwd(), os.cpu_count(), os.uname().nodename, os.isatty(0)
text = open(os.path.join(os.path.dirname(__file__), 'read.txt')).read()
names = os.listdir(os.path.join(os.path.dirname(__file__), 'listed'))
is_there = os.path.exists(os.path.join(os.path.dirname(__file__), 'examined', 'file'))
language = os.environ.get('LANGUAGE')
import urllib.request
proxies = urllib.request.getproxies()
`;
  const PRINT =
    'import reader as r; print(r.cwd, r.cpus, r.host, r.is_terminal, r.text, r.names, r.is_there, r.language, r.proxies)';
  /** What a start prints, and what the snapshot was good for. */
  const both = async (
    options: Parameters<typeof run>[2] = {},
    wrap: readonly string[] = [],
  ): Promise<string> => {
    const inside = (python: string, code: string): Promise<Run> => {
      const [file, ...args] = wrap;
      const words = [python, '-c', code];
      return file === undefined
        ? start(python, words.slice(1), options)
        : start(file, [...args, ...words], options);
    };
    const done = await inside(out, `${PRINT}; ${STATE}`);
    const expected = await inside(unmodified, PRINT);
    const lines = done.stdout.trimEnd().split('\n');
    expect(lines.slice(0, -1).join('\n')).toBe(expected.stdout.trimEnd());
    return lines.at(-1) ?? '';
  };

  test('is compared at each start', async () => {
    for (const name of ['listed', 'examined']) mkdirSync(join(packages, name), {recursive: true});
    writeFileSync(join(packages, 'read.txt'), 'one');
    writeFileSync(join(packages, 'reader.py'), SOURCE);
    const {summary, stderr} = await build('--module', 'reader');
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    expect(await both()).toBe('restored');
    expect(await both({cwd: packages})).toBe('imports read the working directory, which is another one');
    expect(await both({environment: {LANGUAGE: 'de'}})).toBe(
      'an environment variable that imports read has another value',
    );
    expect(await both({environment: {SOME_PROXY: 'http://localhost:9'}})).toBe(
      'imports read the variables of proxies, which have other values',
    );
    expect(await both({}, ['taskset', '-c', '0'])).toBe(
      'imports read the number of processors, which is another one',
    );
    writeFileSync(join(packages, 'examined', 'other'), '');
    expect(await both()).toBe('restored');
    writeFileSync(join(packages, 'examined', 'file'), '');
    expect(await both()).toBe('a file that imports read has changed');
    rmSync(join(packages, 'examined', 'file'));
    writeFileSync(join(packages, 'listed', 'more'), '');
    expect(await both()).toBe('a file that imports read has changed');
    rmSync(join(packages, 'listed', 'more'));
    writeFileSync(join(packages, 'read.txt'), 'two');
    expect(await both()).toBe('a file that imports read has changed');
  });
});
