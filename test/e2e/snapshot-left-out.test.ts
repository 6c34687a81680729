/** What a snapshot cannot hold is left out, with what depends on it. */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-left-out');
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

  test('what acts on something else than memory', async () => {
    for (const [name, code] of ACTIONS) writeFileSync(join(packages, `${name}.py`), `${code}\n`);
    const {summary, stderr} = await build('--startup', ...ACTIONS.flatMap(([name]) => ['--module', name]));
    if (!summary.ok) throw new Error(stderr);
    for (const [, , reason] of ACTIONS) expect(stderr).toMatch(reason);
    expect(await stateOf(out, ['-c', `import a_mask, os; print(os.umask(0))\n${STATE}`])).toBe(
      '23\nrestored',
    );
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

  test('what is imported after that is kept', async () => {
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

  test('what becomes of arguments, but for copies of all', async () => {
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

  test('a lock that is held, when no other thread holds some, and settings of streams', async () => {
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

  test('imports that end the process fail', async () => {
    writeFileSync(join(packages, 'an_end.py'), 'import os; os._exit(7)\n');
    const {summary, stderr} = await build('--startup', '--module', 'an_end');
    expect(summary.ok).toBe(false);
    expect(stderr).toContain('error[SNAPSHOT]: the imports end the process');
    // What lies at the output path works, without a snapshot.
    expect(await stateOf()).toBe('there is none');
  });
});
