/** `snapshot`: an interpreter that starts from the memory of one that has done its imports. */
import {spawnSync} from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {QUICKLY, prepareTree} from '../../support/cpython-trees.js';
import {type JsonRun, type Run, flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot');
const home = join(folder, 'home');
const packages = join(home, '.local/lib/python3.13/site-packages');
const out = join(folder, 'bin', 'python');
let source: string;
let buildDir: string;
/** Stage 1: the same CPython without images or a snapshot. */
let unmodified: string;

/** Without the variables of the runner that mean an ordinary start. */
const environment: Record<string, string | undefined> = {
  ...withoutUsersVariables(),
  HOME: home,
  LANG: 'C.UTF-8',
  LC_ALL: undefined,
};

const IMPORTS =
  'import asyncio, argparse, dataclasses, hashlib, json, logging, multiprocessing, pathlib, random, re, secrets, ssl, subprocess, tempfile, threading, uuid, state';

function build(...words: readonly string[]): Promise<JsonRun> {
  return flashfreezeJson(
    [
      ...['snapshot', '--source', source, '--build-dir', buildDir, '--out', out],
      ...[`--configure-arg=${QUICKLY}`, ...words],
    ],
    {environment},
  );
}

/** Runs a Python in the surroundings of the snapshot, but for what is given. */
function start(
  python: string,
  args: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<Run> {
  return run(python, args, {cwd: folder, ...options, environment: {...environment, ...options.environment}});
}

const STATE = 'import _flashfreeze; print(_flashfreeze.info()["snapshot"])';

async function stateOf(
  python = out,
  args: readonly string[] = ['-c', STATE],
  options: Parameters<typeof run>[2] = {},
): Promise<string> {
  const done = await start(python, args, options);
  expect(done).toMatchObject({exitCode: 0, stderr: ''});
  return done.stdout.trim();
}

beforeAll(async () => {
  const tree = await prepareTree('3.13.15');
  source = tree.source;
  buildDir = `${tree.buildDir}-snapshot`;
  unmodified = join(buildDir, 'cpython', 'python');
  mkdirSync(packages, {recursive: true});
  writeFileSync(join(packages, 'state.py'), 'import os\nread = os.environ.get("STATE_OF_TEST", "unset")\n');
  const {summary, stderr} = await build('--trace', `-c "${IMPORTS}"`);
  if (!summary.ok) throw new Error(stderr);
});

describe('a start', () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ['restored', {}],
    ['ordinary', {FLASHFREEZE: 'no-snapshot'}],
  ])('has static code when it is %s', async (_, variables) => {
    const code = 'import _flashfreeze; print(_flashfreeze.info()["inactive_because"])';
    const done = await start(out, ['-c', code], {environment: variables});
    expect(done).toMatchObject({exitCode: 0, stdout: 'None\n', stderr: ''});
  });

  test('goes on from the snapshot, in which the imports are done', async () => {
    const code = `import sys; n = len(sys.modules); ${IMPORTS}; ${STATE}; print(len(sys.modules) - n)`;
    expect(await stateOf(out, ['-c', code])).toBe('restored\n1'); // _flashfreeze
  });

  const script = join(folder, 'script.py');
  const WORDS = 'import sys; print(sys.argv, sys.path[0], sys.flags, __name__)';
  test.each<[string, readonly string[], string]>([
    ['a command', ['-c', WORDS, 'a', '-c'], ''],
    ['a command in one word', [`-c${WORDS}`, 'a'], ''],
    ['a module', ['-m', 'json.tool', '--indent', '1'], '{"a": [1]}'],
    ['a package', ['-m', 'asyncio.no_such_module'], ''],
    ['a script', ['script.py', 'a', '--b'], 'text'],
    ['a script that is not there', ['missing.py'], ''],
    ['standard input', [], `${WORDS}\n`],
    ['standard input with arguments', ['-', 'a'], `${WORDS}\n`],
    ['an error', ['-c', '1/0'], ''],
    ['an exit code', ['-c', 'import sys; sys.exit(7)'], ''],
    ['a message at the end', ['-c', 'raise SystemExit("bye")'], ''],
    ['an interrupt', ['-c', 'import os, signal; os.kill(os.getpid(), signal.SIGINT)'], ''],
    ['a signal', ['-c', 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)'], ''],
    ['an error in an atexit function', ['-c', 'import atexit; atexit.register(lambda: 1/0)'], ''],
    [
      'a thread that outlives the main one',
      [
        '-c',
        'import threading, time\ndef f(): time.sleep(.1); print("late")\nthreading.Thread(target=f).start()',
      ],
      '',
    ],
    [
      'finalizers',
      [
        '-c',
        'class A:\n  def __del__(self): print("del", self.n)\na = A(); a.n = 1\nb = A(); b.n = 2; b.b = b',
      ],
      '',
    ],
    [
      'a finalizer in a module of the snapshot',
      ['-c', 'import json\nclass A:\n  def __del__(self): print("del")\njson.a = A()'],
      '',
    ],
    [
      'a callback of a weak reference',
      ['-c', 'import weakref\nclass A: pass\na = A(); r = weakref.ref(a, lambda r: print("gone"))'],
      '',
    ],
    ['a file that nobody closed', ['-c', 'f = open("left.txt", "w"); f.write("left"); print(1)'], ''],
    [
      'a generator in the middle',
      ['-c', 'def g():\n  try: yield\n  finally: print("finally")\nx = g(); next(x)'],
      '',
    ],
  ])('runs %s as without it', async (_, args, input) => {
    writeFileSync(script, 'import sys\nprint(sys.argv, __file__, sys.path[0], sys.stdin.read())\n');
    const expected = await start(unmodified, args, {input});
    const actual = await start(out, args, {input});
    /** Addresses of objects, and paths of the interpreter. */
    const plain = ({stdout, stderr, ...end}: Run): Run => ({
      ...end,
      stdout: stdout.replaceAll(unmodified, out),
      stderr: stderr.replaceAll(unmodified, out).replaceAll(/0x[0-9a-f]+/g, '0x'),
    });
    expect(plain(actual)).toEqual(plain(expected));
  });

  test('does what a program needs a process for', async () => {
    const program = join(folder, 'program.py');
    writeFileSync(program, PROGRAM);
    const expected = await start(unmodified, [program], {environment: {VISIBLE: 'yes'}});
    expect(expected).toMatchObject({exitCode: 0, stderr: ''});
    expect(await start(out, [program], {environment: {VISIBLE: 'yes'}})).toEqual(expected);
    expect(readFileSync(join(folder, 'left.txt'), 'utf8')).toBe('left');
  });

  test.each(['<&-', '>&-', '2>&-', '<&- >&- 2>&-', '</dev/null', '>/dev/full'])(
    'has the streams of its process: %s',
    async (redirections) => {
      const code =
        'import sys; open(sys.argv[1], "w").write(repr([sys.stdin, sys.stdout, sys.stderr])); print(1)';
      const results = [];
      for (const python of [unmodified, out]) {
        const file = join(folder, 'streams.txt');
        const done = await start('sh', ['-c', `"$0" -c '${code}' "$1" ${redirections}`, python, file]);
        results.push([done, readFileSync(file, 'utf8')]);
      }
      expect(results[1]).toEqual(results[0]);
    },
  );
});

describe('an ordinary start', () => {
  test.each<[string, readonly string[], Readonly<Record<string, string | undefined>>, string]>([
    ['an option', ['-I', '-c', STATE], {}, 'the interpreter has options'],
    [
      '-X flashfreeze=no-snapshot',
      ['-X', 'flashfreeze=no-snapshot', '-c', STATE],
      {},
      'the interpreter has options',
    ],
    ['FLASHFREEZE=no-snapshot', ['-c', STATE], {FLASHFREEZE: 'no-snapshot'}, 'FLASHFREEZE is set'],
    ['a variable of CPython', ['-c', STATE], {PYTHONUTF8: '1'}, 'a variable PYTHON... is set'],
    [
      'another home directory',
      ['-c', STATE],
      {HOME: folder},
      'an environment variable that imports read has another value',
    ],
    [
      'a variable that an import reads',
      ['-c', STATE],
      {STATE_OF_TEST: 'x'},
      'an environment variable that imports read has another value',
    ],
    ['a locale of another kind', ['-c', STATE], {LANG: undefined}, 'the locale is of another kind'],
    ['a library more', ['-c', STATE], {LD_PRELOAD: 'libdl.so.2'}, 'other libraries are loaded'],
    ['the C locale', ['-c', STATE], {LC_ALL: 'C'}, 'the locale is of another kind'],
  ])('is needed for %s', async (_, args, variables, reason) => {
    expect(await stateOf(out, args, {environment: variables})).toBe(reason);
  });

  test('gives the value of a variable that an import reads', async () => {
    const done = await start(out, ['-c', 'import state; print(state.read)'], {
      environment: {STATE_OF_TEST: 'x'},
    });
    expect(done).toMatchObject({stdout: 'x\n', stderr: ''});
  });

  test('is needed under another name', async () => {
    const link = join(folder, 'other');
    symlinkSync(out, link);
    expect(await stateOf(link)).toBe('it was made for another path of the executable');
  });

  test('is not needed when it is found on PATH, or in the working directory', async () => {
    const path = `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
    const found = await start('sh', ['-c', `python -c '${STATE}'`], {environment: {PATH: path}});
    expect(found).toMatchObject({exitCode: 0, stdout: 'restored\n', stderr: ''});
    const here = await start('sh', ['-c', `cd bin && ./python -c '${STATE}'`]);
    expect(here).toMatchObject({exitCode: 0, stdout: 'restored\n', stderr: ''});
  });

  test('is needed when a signal is ignored', async () => {
    const done = await start('sh', ['-c', `trap '' HUP; "$0" -c '${STATE}'`, out]);
    expect(done).toMatchObject({exitCode: 0, stdout: 'a signal is ignored\n', stderr: ''});
  });

  test('is needed without enough address space', async () => {
    const done = await start('sh', ['-c', `ulimit -v 60000; "$0" -c '${STATE}'`, out]);
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('is needed when the file was changed, wherever that is', async () => {
    const file = realpathSync(out);
    const bytes = readFileSync(file);
    const {atime, mtime} = statSync(file);
    try {
      writeFileSync(file, Buffer.concat([bytes.subarray(0, -5), Buffer.from('wrong')]));
      expect(await stateOf()).toBe('the file was changed');
    } finally {
      writeFileSync(file, bytes);
      utimesSync(file, atime, mtime);
    }
    expect(await stateOf()).toBe('restored');
  });

  test('is needed after an edit of a source, until the next build', async () => {
    const file = join(packages, 'state.py');
    const now = new Date();
    utimesSync(file, now, now);
    expect(await stateOf()).toBe('a file that imports read has changed');
    const {summary} = await build('--trace', `-c "${IMPORTS}"`);
    expect(summary).toMatchObject({ok: true, executed: ['snapshot:python']});
    expect(await stateOf()).toBe('restored');
    const again = await build('--trace', `-c "${IMPORTS}"`);
    expect(again.summary).toMatchObject({ok: true, executed: []});
  });

  test('is what an executable does that was cut off', async () => {
    const real = realpathSync(out);
    const copy = join(folder, 'cut');
    copyFileSync(real, copy);
    chmodSync(copy, 0o755);
    truncateSync(copy, readFileSync(copy).length - 4096);
    const done = await start(copy, ['-S', '-c', 'print(1)'], {
      environment: {PYTHONHOME: source, PYTHONPATH: join(source, 'Lib')},
    });
    expect(done).toMatchObject({exitCode: 0, stdout: '1\n'});
  });
});

test('many starts at once, and starts that are killed, do not disturb others', async () => {
  const program = join(folder, 'many.py');
  writeFileSync(
    program,
    `import subprocess, sys, time
code = 'import asyncio, json, _flashfreeze; print(json.dumps([_flashfreeze.info()["snapshot"], asyncio.run(asyncio.sleep(0, 5))]))'
for round in range(3):
    all = [subprocess.Popen([sys.argv[1], '-c', code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(50)]
    for i in range(50):
        killed = subprocess.Popen([sys.argv[1], '-c', code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(i / 10000)
        killed.kill()
        killed.wait()
    print({each.communicate()[0] for each in all}, {each.returncode for each in all})
`,
  );
  const done = await start(unmodified, [program, out]);
  expect(done).toMatchObject({exitCode: 0, stderr: ''});
  expect(done.stdout).toBe(`{b'["restored", 5]\\n'} {0}\n`.repeat(3));
});

test('nothing that has to be unique is the same in two processes with one number', async () => {
  const code = `import json, multiprocessing, random, secrets, ssl, tempfile, uuid, hashlib, os
print(json.dumps([random.random(), secrets.token_hex(), ssl.RAND_bytes(16).hex(), next(tempfile._get_candidate_names()),
str(uuid.uuid4()), str(uuid.uuid1()), multiprocessing.current_process().authkey.hex(), os.getpid()]))
`;
  const isolated = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;
  const starts: unknown[][] = [];
  for (let i = 0; i < 40; i++) {
    const done = await (isolated
      ? start('unshare', ['--pid', '--fork', out, '-c', code])
      : start(out, ['-c', code]));
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
    starts.push(JSON.parse(done.stdout) as unknown[]);
  }
  if (isolated) expect(new Set(starts.map((values) => values[7]))).toEqual(new Set([1]));
  for (let k = 0; k < 7; k++) expect(new Set(starts.map((values) => values[k])).size).toBe(starts.length);
});

describe('what cannot be kept is left out', () => {
  const MODULES: readonly (readonly [name: string, code: string, reason: RegExp])[] = [
    [
      'a_clock',
      'import time\nnow = time.time_ns()',
      /a_clock \(.*a_clock\.py:2\): it reads a clock .*now has another value/,
    ],
    ['some_bytes', 'import os; key = os.urandom(16)', /some_bytes \(.*\): it reads random numbers/],
    ['a_number', 'import os; number = os.getpid()', /a_number \(.*\): it reads the number of the process/],
    [
      'a_random',
      'import random; number = random.random()',
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
      'a_handler',
      'import signal; signal.signal(signal.SIGTERM, lambda *a: None)',
      /a_handler \(.*:1\): it sets a handler of signal 15/,
    ],
    [
      'a_variable',
      'import os; os.environ["A_VARIABLE"] = "1"',
      /a_variable \(.*:1\): it sets an environment variable .*A_VARIABLE/,
    ],
    [
      'all_variables',
      'import os; copy = dict(os.environ)',
      /all_variables \(.*:1\): it reads the whole environment/,
    ],
    ['a_directory', 'import os; os.chdir("/usr")', /a_directory \(.*:1\): it changes the working directory/],
    [
      'a_locale',
      'import locale; locale.setlocale(locale.LC_ALL, "C")',
      /a_locale \(.*:1\): it changes the locale/,
    ],
    ['a_stream', 'import sys, io; sys.stdout = io.StringIO()', /a_stream: it replaces a standard stream/],
    [
      'a_callback',
      'import ctypes; callback = ctypes.CFUNCTYPE(None)(print)',
      /_ctypes: libffi keeps memory of its own/,
    ],
    ['an_argument', 'import sys; rest = sys.argv[1:]', /an_argument \(.*:1\): it reads the arguments/],
    ['a_name', 'import sys; name = sys.argv[0]', /a_name: it reads the name of the program/],
  ];

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
      'import sys; print([name in sys.modules for name in ("json", "a_late_user", "a_clock", "a_user", "ctypes")])';
    expect(await stateOf(out, ['-c', `${kept}\n${STATE}`])).toBe(
      '[True, True, False, False, False]\nrestored',
    );
    const live =
      'import a_user, a_late_user, time; print(0 <= time.time_ns() - a_user.now < 60e9, a_late_user.now() == a_user.now)';
    expect(await start(out, ['-c', live])).toMatchObject({exitCode: 0, stdout: 'True True\n', stderr: ''});
    const again = await build('--startup', ...names.flatMap((name) => ['--module', name]));
    expect(again.summary).toMatchObject({ok: true, executed: []});
  });

  test('also a lock that is held, when no other thread holds some', async () => {
    writeFileSync(join(packages, 'a_lock.py'), 'import threading\nkept = threading.Lock()\nkept.acquire()\n');
    writeFileSync(
      join(packages, 'an_rlock.py'),
      'import threading\nkept = threading.RLock()\nkept.acquire()\n',
    );
    const {summary, stderr} = await build('--startup', '--module', 'a_lock', '--module', 'an_rlock');
    expect(summary).toMatchObject({ok: true});
    expect(stderr).toMatch(/a_lock: it leaves a lock held \(kept\)/);
    expect(stderr).toMatch(/an_rlock: it leaves a lock held \(kept\)/);
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
`;
  const PRINT =
    'import reader as r; print(r.cwd, r.cpus, r.host, r.is_terminal, r.text, r.names, r.is_there, r.language)';
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
    const {summary, stderr} = await flashfreezeJson(
      [
        ...['snapshot', '--source', source, '--build-dir', buildDir, '--out', out],
        ...[`--configure-arg=${QUICKLY}`, '--module', 'reader'],
      ],
      {environment, cwd: folder},
    );
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    expect(await both()).toBe('restored');
    expect(await both({cwd: packages})).toBe('imports read the working directory, which is another one');
    expect(await both({environment: {LANGUAGE: 'de'}})).toBe(
      'an environment variable that imports read has another value',
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

const PROGRAM = `import asyncio, multiprocessing, os, random, signal, subprocess, sys, threading, time

def square(x):
    return x * x

async def child():
    process = await asyncio.create_subprocess_exec('/bin/echo', 'hi', stdout=subprocess.PIPE)
    return (await process.communicate())[0]

def fork(where):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        print('in a child', where, threading.current_thread() is threading.main_thread(), flush=True)
        os._exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

if __name__ == '__main__':
    import warnings
    warnings.simplefilter('ignore', DeprecationWarning)
    print(asyncio.run(child()))
    results = []
    threads = [threading.Thread(target=results.append, args=(i,)) for i in range(5)]
    for each in threads: each.start()
    for each in threads: each.join()
    print(sorted(results))
    print(subprocess.check_output('echo $VISIBLE', shell=True), os.environ['VISIBLE'], os.getenv('HOME') == os.path.expanduser('~'))
    got = []
    signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    print(got)
    print([signal.getsignal(each) for each in (signal.SIGPIPE, signal.SIGTERM, signal.SIGXFSZ)], signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    print(threading.get_ident() == threading.main_thread().ident, threading.main_thread().native_id == os.getpid())
    print(time.clock_gettime(time.pthread_getcpuclockid(threading.get_ident())) >= 0)
    fork('of the main thread')
    thread = threading.Thread(target=fork, args=('of a thread',))
    thread.start(); thread.join()
    for method in 'fork', 'spawn', 'forkserver':
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, pool.map(square, [1, 2, 3]))
    print(os.getcwd(), len(sys.orig_argv), sys.flags.hash_randomization)
    file = open('left.txt', 'w')
    file.write('left')
`;
