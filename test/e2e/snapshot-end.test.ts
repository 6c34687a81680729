/** A restored process ends early only where nobody can see it: finalizers of the snapshot and of the program run as without it. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-end');
let rig: SnapshotRig;

/** What modules leave behind that has a finalizer. */
const MODULES: Readonly<Record<string, string>> = {
  // These have nothing to do in the end, unless the program gives them something.
  end_quiet: `import io, weakref, multiprocessing.resource_tracker
class Buffer(io.StringIO):
    def write(self, text): return super().write(text.upper())
class Receiver: pass
kept, memory, receiver = Buffer(), io.BytesIO(b'x'), Receiver()
weakref.finalize(receiver, print, 'finalized')
unseen = weakref.finalize(Buffer, print, 'not at the end')
unseen.atexit = False`,
  end_tracker: 'import multiprocessing.shared_memory as memory, multiprocessing.resource_tracker as tracker',
  end_closing: `import io
class Closing(io.StringIO):
    def close(self):
        print('closed', self.getvalue())
        super().close()
kept = Closing('text')`,
  end_database: `import sqlite3, warnings
class Connection(sqlite3.Connection):
    def close(self): print('not called')
class Deleted(sqlite3.Connection):
    def __del__(self): print('deleted')`,
  // Layers over the standard streams have nothing to do but to write what they hold.
  end_layers: `import io, os, sys, resource
def layer(name, **options):
    return io.TextIOWrapper(getattr(sys, name).buffer, **{'encoding': 'latin-1', **options})`,
  // Closing one has nothing to do, unless its code handles exceptions.
  end_generators: `def plain(value):
    while True: yield value
def loud():
    try: yield 1
    finally: print('closed')
def delegating(): yield from loud()
kept = [plain(5), plain(6)]
next(kept[0])`,
  end_delegating: `import end_generators
kept = end_generators.delegating()
next(kept)`,
  // Finalizers of its own objects are tried at the end of each process.
  end_tried: `import mmap, os
class Closes:
    path = memory = None
    def __del__(self):
        if self.path: os.remove(self.path)
        if self.memory: self.memory[0] += 1
kept = Closes()`,
  end_deleted: `import io
class Deleted(io.BytesIO):
    def __del__(self): print('deleted')
kept = Deleted()`,
};

/** What programs do with them. */
const PROGRAMS: readonly (readonly [module: string, code: string])[] = [
  ['end_quiet', 'pass'],
  ['end_quiet', 'end_quiet.kept.write("a"); print(end_quiet.kept.getvalue()); end_quiet.receiver = None'],
  ['end_quiet', 'class Late:\n    def __del__(self): print("late")\nkept = Late()'],
  ['end_quiet', 'import weakref; kept = end_quiet.Receiver(); weakref.finalize(kept, print, "another")'],
  ['end_tracker', 'pass'],
  [
    'end_tracker',
    `m = end_tracker.memory.SharedMemory(create=True, size=9)
print(end_tracker.tracker._resource_tracker._fd is not None)
m.close(); m.unlink()`,
  ],
  [
    'end_tracker',
    'import os; m = end_tracker.memory.SharedMemory(create=True, size=9, name="/flashfreeze-test-%d" % os.getpid())',
  ],
  ['end_closing', 'pass'],
  ['end_closing', 'end_closing.kept = None; print("before")'],
  ['end_generators', 'print(next(end_generators.kept[0]))'],
  ['end_generators', 'kept = end_generators.loud(); print(next(kept))'],
  ['end_generators', 'kept = end_generators.loud()'],
  [
    'end_generators',
    'end_generators.kept.append(end_generators.delegating()); print(next(end_generators.kept[2]))',
  ],
  ['end_delegating', 'pass'],
  ['end_deleted', 'pass'],
  ['end_tried', 'pass'],
  ['end_tried', 'end_tried.kept = None'],
  // So are those of the program's.
  ['end_tried', 'kept = end_tried.Closes(); other = end_tried.Closes(); other.path = "/no/such"'],
  ['end_tried', 'class Quiet:\n    def __del__(self): self.done = True\nkept = Quiet(); print("kept")'],
  ...['path = tempfile.mkstemp()[1]', 'path = "/no/such"', 'memory = memory'].map(
    (change) =>
      [
        'end_tried',
        `import os, tempfile
memory = end_tried.mmap.mmap(-1, 4096)
end_tried.kept.path = None
if os.fork() == 0: end_tried.kept.${change}; raise SystemExit
os.wait(); print(memory[0], os.listdir(tempfile.gettempdir()) == [])`,
      ] as const,
  ),
  ...[
    'sys.stdout = layer("stdout"); sys.stderr = layer("stderr"); sys.stdin = layer("stdin"); print("\\xe4", end="")',
    'kept = layer("stdout"); kept.write("not flushed"); sys.stdout.write("own")',
    'kept = layer("stdout"); kept.close()',
    'kept = layer("stdout"); kept.detach(); print("detached")',
    'kept = [layer("stdout") for i in range(20)]; kept[3].write("x")',
    'sys.stdout = layer("stdout", write_through=True); print("a"); sys.stdout.flush(); os.close(1)',
    'sys.stdout = layer("stdout"); print("lost"); os.dup2(os.open("/dev/full", os.O_WRONLY), 1)',
    'kept = layer("stdout"); kept.write("lost"); os.dup2(os.open("/dev/full", os.O_WRONLY), 1)',
    'class Layer(io.TextIOWrapper):\n    def __del__(self): os.write(2, b"deleted")\nkept = Layer(sys.stdout.buffer); kept.write("a")',
  ].map((code) => ['end_layers', `from end_layers import *\n${code}`] as const),
  ...[
    'kept = end_database.sqlite3.connect(":memory:"); kept.execute("create table a (b)"); kept.execute("insert into a values (1)")',
    'kept = end_database.Connection(":memory:")',
    'kept = end_database.Deleted(":memory:")',
    'kept = end_database.sqlite3.connect(":memory:"); kept.close()',
    'end_database.warnings.simplefilter("always"); kept = end_database.sqlite3.connect(":memory:")',
    'end_database.warnings.filterwarnings("error", category=ResourceWarning, message="other"); kept = end_database.sqlite3.connect(":memory:")',
    // SQLite removes the log of a database when its last connection is closed.
    `import os, subprocess, sys, tempfile
code = """import end_database, sys
kept = end_database.sqlite3.connect(":memory:"); kept.execute("attach ? as other", (sys.argv[1],))
print(kept.execute("pragma other.journal_mode=wal").fetchall()); kept.execute("create table other.a (b)"); kept.commit()"""
with tempfile.TemporaryDirectory() as folder:
    print(subprocess.run([sys.executable, "-c", code, folder + "/a.db"], capture_output=True, text=True).stdout, os.listdir(folder))`,
  ].map((code) => ['end_database', code] as const),
];

beforeAll(async () => {
  rig = await snapshotRig(folder);
});

test.each(Object.entries(MODULES))('%s', async (module, source) => {
  writeFileSync(join(rig.packages, `${module}.py`), `${source}\n`);
  const {summary, stderr} = await rig.build('--startup', '--module', module);
  if (!summary.ok) throw new Error(stderr);
  expect(stderr).not.toContain('left out');
  for (const [, code] of PROGRAMS.filter(([name]) => name === module)) {
    const text = `import ${module}\n${code}`;
    const expected = await rig.start(rig.unmodified, ['-c', text]);
    const restored = await rig.start(rig.out, ['-c', text]);
    // Warnings name the memory that was left, and line numbers of the library are the same.
    const comparable = ({stdout, stderr: said, exitCode}: typeof expected) => ({
      exitCode,
      stdout,
      stderr: said.replaceAll(/flashfreeze-test-\d+/g, 'NAME').replaceAll(/0x[0-9a-f]+/g, 'ADDRESS'),
    });
    expect(comparable(restored)).toEqual(comparable(expected));
  }
  const state = await rig.start(rig.out, ['-c', `import ${module}\n${STATE}`]);
  expect(state.stdout.split('\n')[0]).toBe('restored');
});

test('with such layers and generators, a process ends without taking all objects apart', async () => {
  const modules = ['end_layers', 'end_generators', 'end_tried', 'asyncio'].flatMap((name) => [
    '--module',
    name,
  ]);
  const {summary, stderr} = await rig.build('--startup', ...modules);
  if (!summary.ok) throw new Error(stderr);
  const faults = async (code: string): Promise<number> => {
    const text = `import os, resource, sys
pid = os.posix_spawn(sys.argv[1], [sys.argv[1], '-c', sys.argv[2]], os.environ)
os.waitpid(pid, 0)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt)`;
    const {stdout} = await rig.start(rig.unmodified, ['-c', text, rig.out, code]);
    return Number(stdout);
  };
  const layers = 'import sys, end_layers; sys.stdout = end_layers.layer("stdout")';
  const quick = await faults(layers);
  const whole = await faults(`${layers}\nimport gc; gc.callbacks.append(lambda *each: None)`);
  expect(quick).toBeGreaterThan(0);
  expect(quick).toBeLessThan(0.8 * whole);
  const own = await faults('class Own:\n    def __del__(self): self.done = True\nkept = Own()');
  expect(own).toBeLessThan(0.8 * whole);
});
