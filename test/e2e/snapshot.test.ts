/** `snapshot`: an interpreter that starts from the memory of one that has done its imports. */
import {spawnSync} from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import type {Run} from '../../support/rig.js';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot');
let rig: SnapshotRig;
let packages: string;
let out: string;
let source: string;
let unmodified: string;
const build: SnapshotRig['build'] = (...words) => rig.build(...words);
const start: SnapshotRig['start'] = (...of) => rig.start(...of);

const IMPORTS =
  'import asyncio, argparse, dataclasses, hashlib, json, logging, multiprocessing, pathlib, random, re, secrets, ssl, subprocess, tempfile, threading, uuid, state';

const stateOf: SnapshotRig['stateOf'] = (...of) => rig.stateOf(...of);

beforeAll(async () => {
  rig = await snapshotRig(folder);
  ({packages, out, source, unmodified} = rig);
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

  test('looks no functions up that it does not call', () => {
    const {stdout} = spawnSync('readelf', ['-dW', out], {encoding: 'utf8'});
    expect(stdout).toContain('JMPREL');
    expect(stdout).not.toContain('NOW');
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
    const now = Math.floor(Date.now() / 1000);
    utimesSync(file, now, now);
    expect(await stateOf()).toBe('a file that imports read has changed');
    const {summary} = await build('--trace', `-c "${IMPORTS}"`);
    expect(summary).toMatchObject({ok: true, executed: ['snapshot:python']});
    expect(await stateOf()).toBe('restored');
    const again = await build('--trace', `-c "${IMPORTS}"`);
    expect(again.summary).toMatchObject({ok: true, executed: []});
  });

  test('is needed after an edit that keeps size and time, and not after a new link to the file', async () => {
    const file = join(packages, 'state.py');
    const [text, time] = [readFileSync(file, 'utf8'), statSync(file).mtime];
    linkSync(file, join(folder, 'link'));
    expect(await stateOf()).toBe('restored');
    writeFileSync(file, text.replace('unset', 'other'));
    utimesSync(file, time, time);
    expect(await stateOf()).toBe('a file that imports read has changed');
    writeFileSync(file, text);
    utimesSync(file, time, time);
    expect(await stateOf()).toBe('restored');
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
