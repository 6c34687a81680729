/** Starts from a snapshot in surroundings other than those of its build: the same output as the unmodified Python, and never a crash. */
import {lstatSync, mkdirSync, readlinkSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {type Run} from '../../support/rig.js';
import {type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-surroundings');
let rig: SnapshotRig;

const MODULES =
  'argparse, asyncio, atexit, collections, concurrent.futures, contextlib, csv, curses, dataclasses, datetime, decimal, functools, hashlib, io, itertools, json, locale, logging, multiprocessing, pathlib, pickle, pprint, queue, re, secrets, shutil, signal, sqlite3, string, subprocess, tempfile, textwrap, threading, time, traceback, typing, unittest, uuid, xml.etree.ElementTree, zlib, ctypes';

/** Programs, as scripts: each prints what it sees of its process and of its imports. */
const PROGRAMS: Readonly<Record<string, string>> = {
  process: `
import os, sys
print(sys.argv[1:], sys.path[1:2] == [], sys.flags, sys.getfilesystemencoding(), os.environ.get('HOME'), os.environ.get('EXTRA'))
for s in (sys.stdin, sys.stdout, sys.stderr):
    print(s and (s.encoding, s.errors, s.line_buffering, s.isatty()))
try: print(os.getcwd() == os.path.abspath(''))
except OSError as e: print(e)`,
  arguments: `
import argparse
p = argparse.ArgumentParser(prog='tool', description='Does much. ' * 20)
p.add_argument('--count', type=int, help='a long text ' * 10)
p.print_help()
p.parse_args(['--count', 'x'])`,
  asynchronous: `
import asyncio
async def work(n): await asyncio.sleep(0); return n * n
async def main(): print(await asyncio.gather(*map(work, range(9))))
asyncio.run(main())`,
  locale: `
import locale, time, datetime
print(locale.getpreferredencoding(), locale.setlocale(locale.LC_CTYPE), time.tzname, time.localtime(0)[:6], datetime.datetime.fromtimestamp(86400))
try: print('caf\\u00e9 \\u20ac')
except UnicodeError as e: print(type(e).__name__)`,
  files: `
import os, pathlib, shutil, tempfile
try:
    d = tempfile.mkdtemp(dir=os.environ.get('PLACE'))
    (pathlib.Path(d) / 'a').write_text('x' * 9)
    print(sorted(os.listdir(d)), shutil.disk_usage(d).total > 0); shutil.rmtree(d)
except OSError as e: print(type(e).__name__, e.errno)`,
  threads: `
import threading, queue, concurrent.futures
q = queue.Queue(); lock = threading.Lock()
def f(n):
    with lock: q.put(n)
try:
    t = [threading.Thread(target=f, args=(n,)) for n in range(4)]
    [x.start() for x in t]; [x.join() for x in t]
    print(sorted(q.get() for _ in t), threading.main_thread() is threading.current_thread())
except RuntimeError as e: print(e)`,
  children: `
import multiprocessing, subprocess, sys
if __name__ == '__main__':
    try:
        print(subprocess.run(['/bin/echo', 'child'], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).stdout)
        p = multiprocessing.get_context('fork').Process(target=len, args=('',)); p.start(); p.join(); print(p.exitcode)
    except OSError as e: print(type(e).__name__, e.errno)`,
  signals: `
import os, signal, time
print([signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP, signal.SIGUSR1)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
signal.signal(signal.SIGUSR1, lambda *a: print('got', a[0])); os.kill(os.getpid(), signal.SIGUSR1)`,
  errors: `
import atexit, logging, sys
logging.basicConfig(format='%(levelname)s %(message)s'); logging.warning('careful')
atexit.register(print, 'end')
class A:
    def __del__(self): print('gone')
a = A()
raise LookupError('none')`,
  data: `
import csv, ctypes, dataclasses, decimal, hashlib, io, json, pickle, re, sqlite3, xml.etree.ElementTree as ET, zlib
@dataclasses.dataclass
class P: x: int; y: str = 'a'
print(P(1), json.dumps({'b': [1, None]}), re.sub('a+', 'b', 'caat'), decimal.Decimal(1) / 7, hashlib.sha256(b'x').hexdigest()[:8])
print(sqlite3.connect(':memory:').execute('select 1+1').fetchall(), ET.fromstring('<a b="1"><c/></a>').attrib, zlib.crc32(b'x'))
print(pickle.loads(pickle.dumps(P(2))), ctypes.string_at(b'abc'), ctypes.memset(ctypes.create_string_buffer(3), 65, 2) > 0)
print(list(csv.reader(io.StringIO('a,"b,c"'))), ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 7)())`,
};

type State = 'restored' | 'ordinary' | 'either';

/**
 * Each a shell text that runs a program as "$@", with what the start is there. Relative names are those of the directory of the test.
 * The last part has what this machine need not have: where the text ends with 125, it says nothing.
 */
const SURROUNDINGS: readonly (readonly [name: string, text: string, state: State])[] = [
  ['nothing else', 'exec "$@"', 'restored'],
  ['another variable', 'EXTRA=1 exec "$@"', 'restored'],
  ['an empty environment but for HOME', 'exec env -i HOME="$HOME" "$@"', 'ordinary'],
  ['no other variables', 'exec env -i HOME="$HOME" LANG="$LANG" "$@"', 'restored'],
  ['no variables at all', 'exec env -i "$@"', 'ordinary'],
  ['another HOME', 'HOME=/nonexistent exec "$@"', 'ordinary'],
  ['a variable of 100,000 bytes', 'EXTRA=$(printf %0100000d 0) exec "$@"', 'restored'],
  ['a variable that is not UTF-8', String.raw`EXTRA=$(printf "\377\376") exec "$@"`, 'restored'],
  ['a thousand variables', 'for i in $(seq 1000); do export V$i=$i; done; exec "$@"', 'restored'],
  ['PYTHONHASHSEED', 'PYTHONHASHSEED=0 exec "$@"', 'ordinary'],
  ['PYTHONUTF8=0', 'PYTHONUTF8=0 exec "$@"', 'ordinary'],
  ['PYTHONPATH', 'PYTHONPATH=. exec "$@"', 'ordinary'],
  ['PYTHONWARNINGS', 'PYTHONWARNINGS=error exec "$@"', 'ordinary'],
  ['PYTHONUNBUFFERED', 'PYTHONUNBUFFERED=1 exec "$@"', 'ordinary'],
  ['an empty PYTHONPATH', 'PYTHONPATH= exec "$@"', 'restored'],
  ['LC_ALL=C', 'LC_ALL=C exec "$@"', 'ordinary'],
  ['LC_ALL=POSIX', 'LC_ALL=POSIX exec "$@"', 'ordinary'],
  ['LC_ALL=C.UTF-8', 'LC_ALL=C.UTF-8 exec "$@"', 'restored'],
  ['a locale that is not there', 'LC_ALL=xx_YY exec "$@"', 'ordinary'],
  ['no LANG', 'unset LANG; exec "$@"', 'ordinary'],
  ['another time zone', 'TZ=Asia/Tokyo exec "$@"', 'restored'],
  ['a time zone that is none', 'TZ=nonsense/x exec "$@"', 'restored'],
  ['narrow columns', 'COLUMNS=40 exec "$@"', 'restored'],
  ['another TMPDIR', 'TMPDIR=/nonexistent exec "$@"', 'restored'],
  ['the root directory', 'cd / && exec "$@"', 'restored'],
  ['a directory that is gone', 'mkdir -p gone && cd gone && rmdir ../gone && exec "$@"', 'restored'],
  ['a directory whose name is odd', 'mkdir -p "é \n x" && cd "é \n x" && exec "$@"', 'restored'],
  ['no standard input', 'exec "$@" 0<&-', 'restored'],
  ['no standard output', 'exec "$@" 1>&-', 'restored'],
  ['no standard error', 'exec "$@" 2>&-', 'restored'],
  ['no standard streams', 'exec "$@" 0<&- 1>&- 2>&-', 'restored'],
  ['a full device', 'exec "$@" >/dev/full', 'restored'],
  ['a pipe that nobody reads', '{ sleep .2; "$@"; echo $? >&2; } | true', 'restored'],
  ['a directory as input', 'exec "$@" </', 'restored'],
  ['input for writing only', 'exec "$@" 0>sink', 'restored'],
  ['descriptors that are open', 'exec "$@" 5</dev/null 9>sink', 'restored'],
  ['an interrupt that is ignored', 'trap "" INT; exec "$@"', 'ordinary'],
  ['a hangup that is ignored', 'trap "" HUP; exec "$@"', 'ordinary'],
  ['SIGUSR1 ignored', 'trap "" USR1; exec "$@"', 'ordinary'],
  ['another umask', 'umask 077; exec "$@"', 'restored'],
  ['few descriptors', 'ulimit -n 16; exec "$@"', 'restored'],
  ['no core files', 'ulimit -c 0; exec "$@"', 'restored'],
  ['no files to write', 'ulimit -f 0; exec "$@"', 'restored'],
  ['a stack of 256 KB', 'ulimit -s 256; exec "$@"', 'restored'],
  ['a stack without limit', 'ulimit -s unlimited; exec "$@"', 'restored'],
  ['1 GB of addresses', 'ulimit -v 1000000; exec "$@"', 'either'],
  ['100 MB of addresses', 'ulimit -v 100000; exec "$@"', 'either'],
  ['20 MB of data', 'ulimit -d 20000; exec "$@"', 'either'],
  ['a preloaded library', 'LD_PRELOAD=libm.so.6 exec "$@"', 'either'],
  ['libraries bound at once', 'LD_BIND_NOW=1 exec "$@"', 'restored'],
  ['a libc that is tuned', 'GLIBC_TUNABLES=glibc.malloc.arena_max=1 exec "$@"', 'restored'],
  ['processor features that are hidden', 'GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX exec "$@"', 'either'],
  ['a low priority', 'exec nice -n 9 "$@"', 'restored'],
  ['one processor', 'exec taskset 1 "$@"', 'restored'],
  ['addresses that are not randomised', 'exec setarch -R "$@"', 'restored'],
  ['the old order of addresses', 'exec setarch -L "$@"', 'either'],
  ['a session of its own', 'exec setsid -w "$@"', 'restored'],
  [
    'a terminal',
    'command -v script >/dev/null || exit 125; quoted=$(printf " %q" "$@"); exec script -qec "$quoted" /dev/null </dev/null',
    'restored',
  ],
  [
    'another process number',
    'unshare --pid --fork true 2>/dev/null || exit 125; exec unshare --pid --fork --kill-child "$@"',
    'restored',
  ],
  [
    'a clock that is a year ahead',
    'unshare --time --monotonic 30000000 --fork true 2>/dev/null || exit 125; exec unshare --time --monotonic 30000000 --fork "$@"',
    'restored',
  ],
  ['a tracer', 'command -v strace >/dev/null || exit 125; exec strace -f -qq -o trace.txt "$@"', 'restored'],
  [
    'memory that is locked',
    'command -v prlimit >/dev/null || exit 125; exec prlimit --memlock=65536 "$@"',
    'restored',
  ],
];

function python(executable: string, args: readonly string[], text: string): Promise<Run> {
  return rig.start('bash', ['-c', text, 'bash', executable, ...args]);
}

beforeAll(async () => {
  rig = await snapshotRig(folder);
  mkdirSync(join(folder, 'programs'));
  for (const [name, code] of Object.entries(PROGRAMS)) {
    writeFileSync(join(folder, 'programs', `run_${name}.py`), code);
  }
  const {summary, stderr} = await rig.build('--trace', `-c "import ${MODULES}"`);
  if (!summary.ok) throw new Error(stderr);
});

/** What depends on which of the two runs. */
function plain({exitCode, stdout, stderr}: Run): Run {
  const common = (text: string): string =>
    text
      .replaceAll(rig.unmodified, 'PYTHON')
      .replaceAll(rig.out, 'PYTHON')
      .replaceAll(/0x[0-9a-f]+/g, '0x');
  return {exitCode, stdout: common(stdout), stderr: common(stderr)};
}

describe.each(SURROUNDINGS)('%s', (_, text, expected) => {
  test.each(Object.keys(PROGRAMS))('%s', async (name) => {
    const args = [join(folder, 'programs', `run_${name}.py`), 'a', 'é'];
    const unmodified = await python(rig.unmodified, args, text);
    if (unmodified.exitCode === 125) return;
    expect(plain(await python(rig.out, args, text))).toEqual(plain(unmodified));
  });

  test('the start is of the kind that it has to be', async () => {
    if (expected === 'either') return;
    const report = join(folder, 'state.txt');
    rmSync(report, {force: true});
    // Standard output may be closed, and no file may grow.
    const code = `import os, sys, _flashfreeze; os.symlink(_flashfreeze.info()["snapshot"], sys.argv[1])`;
    await python(rig.out, ['-c', code, report], text);
    const state = lstatSync(report, {throwIfNoEntry: false}) && readlinkSync(report);
    if (state === undefined && text.includes('exit 125')) return; // the machine has it not
    expect(state === 'restored' ? state : 'ordinary').toBe(expected);
    expect(state).toBeDefined();
  });
});
