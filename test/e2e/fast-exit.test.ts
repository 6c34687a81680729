/** `--fast-exit`: a process ends without taking the interpreter apart, and nothing that was written is lost. */
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('fast-exit');

/** What opens files of each kind and closes none: statements that leave one open, and an expression that reads it back. */
const FILES: Readonly<Record<string, readonly [write: string, read: string]>> = {
  text: ['kept = open(at, "w"); kept.write("text")', 'open(at).read()'],
  binary: ['kept = open(at, "wb"); kept.write(b"binary")', 'open(at).read()'],
  updated: ['kept = open(at, "w+b"); kept.write(b"updated")', 'open(at).read()'],
  appended: ['kept = open(at, "a"); kept.write("appended")', 'open(at).read()'],
  inCircle: [
    'class Circle: pass\nit = Circle(); it.me = it; it.file = open(at, "w"); it.file.write("circle"); del it',
    'open(at).read()',
  ],
  inGenerator: [
    'def make():\n  file = open(at, "w"); file.write("generator"); yield\nkept = make(); next(kept)',
    'open(at).read()',
  ],
  gzip: ['import gzip; kept = gzip.open(at, "wb"); kept.write(b"gzip")', 'gzip.open(at, "rt").read()'],
  gzipText: ['import gzip; kept = gzip.open(at, "wt"); kept.write("text")', 'gzip.open(at, "rt").read()'],
  bz2: ['import bz2; kept = bz2.open(at, "wt"); kept.write("bz2")', 'bz2.open(at, "rt").read()'],
  lzma: ['import lzma; kept = lzma.open(at, "wt"); kept.write("lzma")', 'lzma.open(at, "rt").read()'],
  nested: [
    'import gzip, io; kept = io.TextIOWrapper(io.BufferedWriter(gzip.GzipFile(fileobj=open(at, "wb"), mode="wb"))); kept.write("nested")',
    'gzip.open(at, "rt").read()',
  ],
  // The file is written to by an object of a class of the program.
  behindOther: [
    `import gzip
class Other:
  def __init__(self, file): self.file = file
  def write(self, data): return self.file.write(data)
  def flush(self): self.file.flush()
kept = gzip.GzipFile(fileobj=Other(open(at, "wb")), mode="wb"); kept.write(b"behind")`,
    'gzip.open(at, "rt").read()',
  ],
  zip: [
    'import zipfile; kept = zipfile.ZipFile(at, "w"); kept.writestr("member", "zip")',
    'zipfile.ZipFile(at).read("member").decode()',
  ],
  codecs: [
    'import codecs; kept = codecs.open(at, "w", "utf-16"); kept.write("codecs")',
    'open(at, encoding="utf-16").read()',
  ],
  shelf: [
    'import shelve, dbm.dumb; kept = shelve.Shelf(dbm.dumb.open(at, "c"), writeback=True); kept["key"] = [1]; kept["key"].append(2)',
    'repr(shelve.Shelf(dbm.dumb.open(at))["key"])',
  ],
  socket: [
    `import socket, subprocess
one, other = socket.socketpair(); kept = one.makefile("w"); kept.write("socket")
subprocess.Popen([sys.executable, "-c", f"import os; data = os.read({other.fileno()}, 100); open({at!r}, 'wb').write(data)"], pass_fds=[other.fileno()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)`,
    'wait_for(at)',
  ],
  pipe: [
    `import subprocess
kept = subprocess.Popen([sys.executable, "-c", f"import sys; open({at!r}, 'w').write(sys.stdin.read())"], stdin=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
kept.stdin.write("pipe")`,
    'wait_for(at)',
  ],
  logging: [
    `import logging, logging.handlers
handler = logging.handlers.MemoryHandler(100, target=logging.FileHandler(at)); logging.getLogger("a").addHandler(handler); logging.getLogger("a").warning("logged")`,
    'open(at).read()',
  ],
  loggingToFile: [
    'import logging; logging.getLogger("b").addHandler(logging.StreamHandler(open(at, "w", buffering=1 << 16))); logging.getLogger("b").warning("logged")',
    'open(at).read()',
  ],
  stdout: ['sys.stdout = open(at, "w"); print("elsewhere")', 'open(at).read()'],
  temporaryFile: [
    'import tempfile; kept = tempfile.NamedTemporaryFile(); open(at, "w").write(kept.name)',
    'os.path.exists(open(at).read())',
  ],
  temporaryDirectory: [
    'import tempfile; kept = tempfile.TemporaryDirectory(); open(at, "w").write(kept.name)',
    'os.path.exists(open(at).read())',
  ],
};

/** What each has to be found to hold. */
const CONTENTS: Readonly<Record<string, unknown>> = {
  ...{
    text: 'text',
    binary: 'binary',
    updated: 'updated',
    appended: 'appended',
    inCircle: 'circle',
    inGenerator: 'generator',
  },
  ...{
    gzip: 'gzip',
    gzipText: 'text',
    bz2: 'bz2',
    lzma: 'lzma',
    nested: 'nested',
    behindOther: 'behind',
    zip: 'zip',
  },
  ...{
    codecs: 'codecs',
    shelf: '[1, 2]',
    socket: 'socket',
    pipe: 'pipe',
    logging: 'logged\n',
    loggingToFile: 'logged\n',
  },
  ...{stdout: 'elsewhere\n', temporaryFile: false, temporaryDirectory: false},
};

/** Programs whose output, error output and exit code are as without `--fast-exit`. */
const ENDS: Readonly<Record<string, string>> = {
  'a number': 'import sys; print("out", end=""); sys.exit(7)',
  'a message': 'import sys; sys.exit("message")',
  'an exception': 'raise ValueError("uncaught")',
  'an interrupt': 'raise KeyboardInterrupt',
  'a signal': 'import os, signal; print("lost or not"); os.kill(os.getpid(), signal.SIGTERM)',
  'output that cannot be written': 'import sys; sys.stdout = open("/dev/full", "w"); print("lost")',
  'standard output that is closed': 'import os; print("lost"); os.close(1)',
  'atexit functions': `import atexit, sys
def last(word): print(word); atexit.register(print, "too late")
atexit.register(last, "first registered"); atexit.register(print, "then this")
def failing(): raise ValueError
atexit.register(failing); sys.exit(3)`,
  'a collector that is disabled': 'import gc; gc.disable(); print("off")',
  'frozen objects': 'import gc; file = open("/dev/stdout", "w"); file.write("of a frozen file"); gc.freeze()',
  'a collection while streams are flushed': `import gc, sys
class Stream:
  def write(self, text): return sys.__stdout__.write(text)
  def flush(self): gc.collect(); sys.__stderr__.write(f"closed: {kept.closed}")
kept = open("/dev/null", "w"); sys.stdout = Stream(); print("out")`,
  'a weakref.finalize': `import weakref
class Kept: pass
kept = Kept(); weakref.finalize(kept, print, "finalized")`,
  threads:
    'import threading, time; threading.Thread(target=lambda: (time.sleep(0.05), print("joined"))).start()',
  'a daemon that reads': `import os, threading
read, write = os.pipe(); file = os.fdopen(read, "rb"); threading.Thread(target=file.read, daemon=True).start(); print("ends")`,
  'futures of threads': `import concurrent.futures as f
pool = f.ThreadPoolExecutor(2); pool.submit(print, "from the pool")`,
  'futures of processes': `import concurrent.futures as f, multiprocessing, os
pool = f.ProcessPoolExecutor(2, multiprocessing.get_context("fork")); print(sum(pool.map(abs, range(-3, 3))))`,
  multiprocessing: `import multiprocessing
context = multiprocessing.get_context("fork"); queue = context.Queue()
process = context.Process(target=queue.put, args=("from a process",)); process.start(); print(queue.get()); process.join(); print(process.exitcode)`,
  'a forked child':
    'import os, sys\nif os.fork(): os.wait(); print("parent")\nelse: print("child"); sys.exit(3)',
  'a closed event loop': 'import asyncio; asyncio.run(asyncio.sleep(0)); loop = asyncio.new_event_loop()',
  'warnings that are asked for': 'import sys; sys.warnoptions; file = open("/dev/null")',
};

const pythons = findPythons().filter((_each, index, all) => index === 0 || index === all.length - 1);
const ways = pythons.flatMap(({series, python}) =>
  (['relink', 'graft', 'overlay'] as const).map((way) => [`${way} of ${series}`, way, python] as const),
);

describe.each(ways)('%s', (name, way, python) => {
  const out = join(folder, name.replaceAll(' ', '-'));
  const command = way === 'overlay' ? [python] : [out];
  const environment = way === 'overlay' ? {PYTHONPATH: join(out, 'site')} : {};
  beforeAll(async () => {
    const words = ['--python', python, '--out', out, '--trace', '-c "import zipfile, gzip"'];
    const how =
      way === 'overlay' ? ['overlay'] : ['relink', ...(way === 'graft' ? ['--method', 'graft'] : [])];
    const {summary, stderr} = await flashfreezeJson([...how, ...words, '--fast-exit'], {cwd: folder});
    if (!summary.ok) throw new Error(stderr);
  });

  const end = (program: string, ...flags: readonly string[]) =>
    run(command[0] ?? '', [...flags, '-B', '-c', program], {cwd: folder, environment});

  test.each(Object.keys(FILES))('what was written is not lost: %s', async (kind) => {
    const [write, read] = FILES[kind] ?? ['', ''];
    const at = join(folder, `${kind}-${name.replaceAll(' ', '-')}`);
    const done = await end(`import os, sys\nat = ${JSON.stringify(at)}\n${write}`);
    expect([done.stderr, done.exitCode]).toEqual(['', 0]);
    const reader = `import gzip, bz2, lzma, zipfile, shelve, dbm.dumb, json, os, time
def wait_for(at):
  while not os.path.exists(at) or os.path.getsize(at) == 0: time.sleep(0.01)
  return open(at).read()
at = ${JSON.stringify(at)}
print(json.dumps(${read}))`;
    const found = await run(python, ['-c', reader], {cwd: folder});
    expect(JSON.parse(found.stdout)).toEqual(CONTENTS[kind]);
  });

  test.each(Object.keys(ENDS))('the end is as before: %s', async (kind) => {
    const flags = kind.startsWith('warnings') ? ['-W', 'default'] : [];
    const [ours, theirs] = [
      await end(ENDS[kind] ?? '', ...flags),
      await end(ENDS[kind] ?? '', ...flags, '-X', 'flashfreeze=no-fast-exit'),
    ];
    const outcome = ({stdout, stderr, exitCode}: typeof ours) => ({
      stdout,
      stderr: stderr.replaceAll(/0x[0-9a-f]+/g, '0x'),
      exitCode,
    });
    expect(outcome(ours)).toEqual(outcome(theirs));
  });

  test('what is left is not taken apart, unless asked for', async () => {
    const program = 'class Left:\n  def __del__(self): print("deleted")\nleft = Left()';
    expect((await end(program)).stdout).toBe('');
    expect((await end(program, '-X', 'flashfreeze=no-fast-exit')).stdout).toBe('deleted\n');
  });

  test('atexit is not imported by it', async () => {
    const program = 'import sys; print("atexit" in sys.modules)';
    expect((await end(program)).stdout).toBe((await end(program, '-X', 'flashfreeze=off')).stdout);
  });
});
