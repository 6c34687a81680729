/** Starts from a snapshot in surroundings other than those of its build: the same output as the unmodified Python, and never a crash. */
import {lstatSync, mkdirSync, readlinkSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {type Run} from '../../support/rig.js';
import {makeOtherLibraries, SURROUNDINGS, type Surroundings} from '../../support/surroundings.js';
import {type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {SNAPSHOT_MODULES} from '../support/snapshot-modules.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-surroundings');
let rig: SnapshotRig;

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

/** The last one: it stays edited. */
const EDITED: Surroundings = [
  'an edited source',
  'echo "EDITED = True" >> "$PACKAGES/edited.py"; exec "$@"',
  'ordinary',
];

function python(executable: string, args: readonly string[], text: string): Promise<Run> {
  const environment = {PACKAGES: rig.packages};
  return rig.start('bash', ['-c', text, 'bash', executable, ...args], {environment});
}

beforeAll(async () => {
  rig = await snapshotRig(folder);
  mkdirSync(join(folder, 'programs'));
  for (const [name, code] of Object.entries(PROGRAMS)) {
    writeFileSync(join(folder, 'programs', `run_${name}.py`), code);
  }
  writeFileSync(join(rig.packages, 'edited.py'), 'EDITED = False\n');
  makeOtherLibraries(folder);
  const {summary, stderr} = await rig.build('--trace', `-c "import edited, ${SNAPSHOT_MODULES}"`);
  if (!summary.ok) throw new Error(stderr);
});

describe.each([...SURROUNDINGS, EDITED])('%s', (_, text, expected) => {
  test.each(Object.keys(PROGRAMS))('%s', async (name) => {
    const args = [join(folder, 'programs', `run_${name}.py`), 'a', 'é'];
    const unmodified = await python(rig.unmodified, args, text);
    expect(rig.plain(await python(rig.out, args, text))).toEqual(rig.plain(unmodified));
  });

  test('the start is of the kind that it has to be', async () => {
    const report = join(folder, 'state.txt');
    rmSync(report, {force: true});
    // Standard output may be closed, and no file may grow.
    const code = `import os, sys, _flashfreeze; os.symlink(_flashfreeze.info()["snapshot"], sys.argv[1])`;
    await python(rig.out, ['-c', code, report], text);
    const state = lstatSync(report, {throwIfNoEntry: false}) && readlinkSync(report);
    expect(state === 'restored' ? state : 'ordinary').toBe(expected);
    expect(state).toBeDefined();
  });
});
