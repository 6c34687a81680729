/**
 * What a process does with its threads, its children, its signals, its end, its interpreters and its tools: restored from a snapshot, the
 * same as unmodified.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type Run} from '../../support/rig.js';
import {SNAPSHOT_MODULES} from '../support/snapshot-modules.js';
import {type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-behaviour');
let rig: SnapshotRig;

const PROGRAMS: Readonly<Record<string, string>> = {
  threads: `
import sys, threading, _thread, signal, time
main = threading.main_thread()
print(main is threading.current_thread(), main.ident == threading.get_ident() == _thread.get_ident(), main.native_id == threading.get_native_id())
local = threading.local(); local.x = 1; seen = []
def work(n):
    local.x = n; barrier.wait(); seen.append((n, local.x, threading.current_thread() is main, threading.get_ident() == main.ident))
barrier = threading.Barrier(4)
threads = [threading.Thread(target=work, args=(n,), name=f'w{n}') for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(seen), local.x, threading.active_count(), len(set(t.ident for t in threads)) > 0)
lock = threading.RLock(); lock.acquire(); lock.acquire(); lock.release(); print(lock._is_owned()); lock.release()
try: lock.release()
except RuntimeError as e: print(e)
def fail(): raise ValueError('in a thread')
threading.excepthook = lambda args: print('hook', args.exc_type.__name__, args.thread.name)
t = threading.Thread(target=fail, name='failing'); t.start(); t.join()
def interrupted():
    try:
        while True: time.sleep(0.01)
    except LookupError: print('asynchronous exception')
import ctypes
t = threading.Thread(target=interrupted); t.start()
print(ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(t.ident), ctypes.py_object(LookupError))); t.join()
signal.signal(signal.SIGUSR1, lambda *a: print('signal in main', threading.current_thread() is main))
t = threading.Thread(target=signal.pthread_kill, args=(main.ident, signal.SIGUSR1)); t.start(); t.join()
print(time.clock_gettime(time.pthread_getcpuclockid(main.ident)) > 0)
timer = threading.Timer(0.01, print, ['timer']); timer.start(); timer.join()
threading.Thread(target=lambda: time.sleep(100), daemon=True).start()
threading.Thread(target=lambda: (time.sleep(0.05), print('last thread'))).start()
threading._register_atexit(print, 'threading exit')`,
  forks: `
import os, sys, threading, random
os.register_at_fork(before=lambda: print('before', flush=True), after_in_parent=lambda: print('parent'), after_in_child=lambda: print('child'))
ident = threading.get_ident()
def fork(status):
    sys.stdout.flush(); child = os.fork()
    if child == 0:
        print(threading.get_ident() == ident, threading.current_thread() is threading.main_thread(), threading.active_count(), os.getpid() != parent, flush=True)
        if status == 0:
            t = threading.Thread(target=print, args=('thread of a child',)); t.start(); t.join()
            grandchild = os.fork()
            if grandchild == 0: print('grandchild', flush=True); os._exit(4)
            print(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1])); sys.exit(status)
        sys.stdout.flush(); os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
parent = os.getpid(); fork(3); fork(0)
import warnings; warnings.simplefilter('ignore')
def in_thread():
    child = os.fork()
    if child == 0: print(threading.current_thread() is threading.main_thread(), flush=True); os._exit(5)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
sys.stdout.flush(); t = threading.Thread(target=in_thread); t.start(); t.join()`,
  specialisation: `
import dis, functools
dispatch = functools.singledispatch(print).dispatch # a function that is made now, of code that the snapshot has
def call(): return dispatch(int)
for _ in range(100): call()
print([i.opname for i in dis.get_instructions(call, adaptive=True) if i.opname.startswith('CALL')])`,
  subprocesses: `
import os, signal, subprocess, sys
run = lambda *a, **k: subprocess.run(*a, capture_output=True, text=True, **k)
print(run([sys.executable, '-c', 'import sys; print(sys.argv, sys.stdin.read())', 'a'], input='text'))
print(run([sys.executable, '-c', 'raise SystemExit(7)']).returncode, run([sys.executable, '-I', '-c', 'print(1)']).stdout)
print(run('echo $A; exit 3', shell=True, env={'A': 'b'}))
r, w = os.pipe(); p = subprocess.Popen([sys.executable, '-c', f'import os; os.write({w}, b"x")'], pass_fds=[w]); p.wait(); print(os.read(r, 9))
print(run(['/bin/pwd'], cwd='/', preexec_fn=lambda: os.umask(0), start_new_session=True).stdout)
p = subprocess.Popen(['sleep', '100']); p.send_signal(signal.SIGTERM); print(p.wait())
try: run(['sleep', '100'], timeout=0.05)
except subprocess.TimeoutExpired as e: print(type(e).__name__)
try: run(['/nonexistent'])
except OSError as e: print(e)
print(os.system('exit 2') >> 8, os.popen('echo popen').read(), os.posix_spawn('/bin/true', ['true'], os.environ) > 0, os.wait()[1])`,
  multiprocessing: `
import multiprocessing as mp, os, sys
from concurrent.futures import ProcessPoolExecutor
def work(n): return n * n
def put(q, e): q.put((mp.current_process().name, mp.parent_process().pid == os.getppid())); e.set()
def fail(): sys.exit(6)
if __name__ == '__main__':
    for kind in 'fork', 'spawn', 'forkserver':
        c = mp.get_context(kind); q, e = c.Queue(), c.Event()
        p = c.Process(target=put, args=(q, e), name='named'); p.start(); print(kind, q.get()[0], e.wait(60)); p.join(); print(p.exitcode)
        p = c.Process(target=fail); p.start(); p.join(); print(p.exitcode)
        with c.Pool(2) as pool: print(pool.map(work, range(5)))
        with ProcessPoolExecutor(2, mp_context=c) as pool: print(list(pool.map(work, range(5))))
        v = c.Value('i', 3); a = c.Array('d', 2); print(v.value, a[:]); x, y = c.Pipe(); x.send({1: 2}); print(y.recv())
    with mp.Manager() as m: d = m.dict(a=1); d['b'] = 2; print(dict(d))
    from multiprocessing import shared_memory
    s = shared_memory.SharedMemory(create=True, size=9); s.buf[0] = 7; print(s.buf[0]); s.close(); s.unlink()`,
  signals: `
import os, select, signal, time, sys, faulthandler
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, sorted(s.name for s in signal.Signals if signal.getsignal(s) not in (0, None)))
def handler(number, frame): print('got', signal.Signals(number).name, frame.f_code.co_name)
for name in 'SIGUSR1', 'SIGALRM', 'SIGCHLD': signal.signal(getattr(signal, name), handler)
os.kill(os.getpid(), signal.SIGUSR1); signal.raise_signal(signal.SIGUSR1)
signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
r, w = os.pipe(); os.set_blocking(w, False); signal.set_wakeup_fd(w); os.kill(os.getpid(), signal.SIGUSR1); print(os.read(r, 1)[0]); signal.set_wakeup_fd(-1)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.kill(os.getpid(), signal.SIGUSR2); print(signal.sigpending(), signal.sigwait([signal.SIGUSR2]))
try: os.kill(os.getpid(), signal.SIGINT); time.sleep(1)
except KeyboardInterrupt: print('interrupted')
def raises(*a): raise LookupError('of a handler')
signal.signal(signal.SIGUSR1, raises)
try: signal.raise_signal(signal.SIGUSR1)
except LookupError as e: print(e)
signal.signal(signal.SIGINT, signal.default_int_handler)
print('end', flush=True); os.kill(os.getpid(), signal.SIGINT); time.sleep(1)`,
  'ended by a signal': `
import os, signal
print('start', flush=True); os.kill(os.getpid(), signal.SIGTERM)`,
  atexit: `
import atexit, sys, weakref
atexit.register(print, 'first registered')
@atexit.register
def fail(): raise ValueError('at exit')
atexit.register(lambda: atexit.register(print, 'registered at exit'))
def gone(): print('unregistered')
atexit.register(gone); atexit.unregister(gone); print(atexit._ncallbacks() >= 3)
class A:
    def __init__(self, n): self.n = n
    def __del__(self): print('del', self.n, sys is None)
a = A('global'); cycle = A('cycle'); cycle.self = cycle; sys.kept = A('sys')
weakref.finalize(a, print, 'finalize')
sys.excepthook = lambda kind, value, trace: print('excepthook', value)
raise SystemExit('message')`,
  interpreters: `
import sys
try: import _interpreters as i
except ImportError: import _xxsubinterpreters as i
ids = [i.create() for _ in range(2)]
for n, each in enumerate(ids):
    i.run_string(each, f"import sys, json, asyncio, threading; print({n}, json.dumps([1]), 'extra' in sys.modules, threading.main_thread() is threading.current_thread(), flush=True)")
sys.stdout.flush()
[i.destroy(each) for each in ids]; print(len(i.list_all()))
print(i.get_current() is not None)`,
  faulthandler: `
import faulthandler, os, sys, threading, signal
faulthandler.enable(); print(faulthandler.is_enabled())
def inner(): faulthandler.dump_traceback(all_threads=True)
inner()
faulthandler.register(signal.SIGUSR1, all_threads=False); os.kill(os.getpid(), signal.SIGUSR1)
faulthandler.dump_traceback_later(0.02, exit=False); import time; time.sleep(0.2); faulthandler.cancel_dump_traceback_later()
sys.stdout.flush(); faulthandler._sigsegv()`,
  tracemalloc: `
import tracemalloc, gc
print(tracemalloc.is_tracing()); tracemalloc.start(5)
kept = [bytes(1000) for _ in range(50)]
s = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, __file__)])
print([(t.traceback[0].lineno, t.count, t.size) for t in s.statistics('lineno')][:1], tracemalloc.get_object_traceback(kept[0])[0].lineno)
now, peak = tracemalloc.get_traced_memory(); print(now <= peak, now > 50000); del kept; gc.collect()
print(tracemalloc.get_traced_memory()[0] < now, tracemalloc.get_traceback_limit()); tracemalloc.stop(); print(tracemalloc.get_traced_memory())`,
  debugger: `
import io, pdb, sys, trace, cProfile, pstats, bdb
def f(n):
    total = 0
    for i in range(n):
        total += i
    return total
out = io.StringIO()
p = pdb.Pdb(stdin=io.StringIO('break f\\ncontinue\\nargs\\nnext\\nnext\\nwhere\\np n\\nreturn\\nclear 1\\ncontinue\\n'), stdout=out, nosigint=True, readrc=False)
p.use_rawinput = False; p.run('f(3)', globals()); print(out.getvalue())
events = []
sys.settrace(lambda frame, event, arg: events.append((event, frame.f_lineno)) or (lambda *a: events.append(a[1]))); f(2); sys.settrace(None); print(events)
calls = []; sys.setprofile(lambda frame, event, arg: calls.append(event)); f(1); sys.setprofile(None); print(calls)
prof = cProfile.Profile(); prof.runcall(f, 4); print(pstats.Stats(prof, stream=io.StringIO()).total_calls)
if hasattr(sys, 'monitoring'):
    m = sys.monitoring; m.use_tool_id(3, 'tool'); lines = []
    m.register_callback(3, m.events.LINE, lambda code, line: lines.append(line)); m.set_local_events(3, f.__code__, m.events.LINE); f(1); print(lines)
import json
seen = []; sys.settrace(lambda frame, event, arg: seen.append(frame.f_code.co_name)); json.dumps([1.5]); sys.settrace(None); print(seen[:3])
try: breakpoint()
except bdb.BdbQuit: print('quit')`,
  gc: `
import gc, weakref, sys
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.garbage, len(gc.get_stats()))
class Node:
    def __del__(self): dead.append(self.n)
dead = []
for n in range(3): a, b = Node(), Node(); a.n, b.n, a.b, b.a = n, -n, b, a
r = weakref.ref(a, lambda _: dead.append('ref')); del a, b
print(gc.collect() >= 6, sorted(map(str, dead)), r() is None)
phases = []; callback = lambda phase, info: phases.append((phase, info['generation'])); gc.callbacks.append(callback); gc.collect(1); gc.collect(); gc.callbacks.remove(callback); print(phases)
gc.set_threshold(50); lists = []
for n in range(300): x = []; x.append(x)
print(gc.get_count()[0] < 300); gc.disable(); print(gc.isenabled()); gc.enable()
gc.set_debug(gc.DEBUG_SAVEALL); x = []; x.append(x); i = id(x); del x; gc.collect(); print(any(id(o) == i for o in gc.garbage)); gc.set_debug(0); gc.garbage.clear()
print(gc.is_tracked([]), gc.get_referents([1]))
x = []; y = [x]; print(any(o is y for o in gc.get_referrers(x)), any(o is y for o in gc.get_objects()))
gc.freeze(); gc.unfreeze(); print(gc.get_freeze_count(), gc.collect() >= 0)`,
};

beforeAll(async () => {
  rig = await snapshotRig(folder);
  mkdirSync(join(folder, 'programs'));
  for (const [name, code] of Object.entries(PROGRAMS)) writeFileSync(file(name), code);
  const {summary, stderr} = await rig.build('--trace', `-c "import ${SNAPSHOT_MODULES}"`);
  if (!summary.ok) throw new Error(stderr);
});

const file = (name: string): string => join(folder, 'programs', `run ${name}.py`.replaceAll(' ', '_'));

test.each(Object.keys(PROGRAMS))('%s', async (name) => {
  // Core dumps say nothing here.
  const run = (python: string): Promise<Run> =>
    rig.start('bash', ['-c', 'ulimit -c 0; exec "$@"', 'bash', python, file(name)]);
  const unmodified = rig.plain(await run(rig.unmodified));
  expect(unmodified.stdout).not.toBe('');
  expect(rig.plain(await run(rig.out))).toEqual(unmodified);
});

test('objects of the snapshot are not visited by the collector, as after gc.freeze()', async () => {
  const code =
    'import gc, json; json.extra = []; print(any(o is json.__dict__ for o in gc.get_referrers(json.extra)), gc.get_freeze_count() > 1000)';
  expect(await rig.start(rig.out, ['-c', code])).toMatchObject({exitCode: 0, stdout: 'False True\n'});
  expect(await rig.start(rig.unmodified, ['-c', code])).toMatchObject({exitCode: 0, stdout: 'True False\n'});
});

test('these starts are from the snapshot', async () => {
  const script = join(folder, 'programs', 'state.py');
  writeFileSync(script, 'import _flashfreeze; print(_flashfreeze.info()["snapshot"])');
  expect(await rig.stateOf(rig.out, [script])).toBe('restored');
});
