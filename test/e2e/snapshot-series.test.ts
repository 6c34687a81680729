/** Snapshots of another series: CPython 3.11 keeps its thread, its frames and its codecs in other places than 3.13. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-series');

const SHARED = 'argparse, asyncio, concurrent.futures, dataclasses, json, logging, random, re, sqlite3';
const IMPORTS = `import ${SHARED}, subprocess, tempfile, threading, uuid, multiprocessing.pool`;

/** What programs do that a restored process could get wrong; each prints, or ends in another way. */
const PROGRAMS: Readonly<Record<string, string>> = {
  nothing: 'pass',
  asyncio: `import asyncio, sys
async def main():
    child = await asyncio.create_subprocess_exec(sys.executable, '-c', 'print(5)', stdout=-1)
    words = await asyncio.gather(*(asyncio.to_thread(lambda n=n: n * n) for n in range(9)))
    return words, await child.communicate()
print(asyncio.run(main()))`,
  'argparse, json and logging': `import argparse, json, logging, sys
parser = argparse.ArgumentParser(prog='x'); parser.add_argument('--number', type=int, default=3)
print(parser.format_help(), parser.parse_args(sys.argv[2:]), json.loads('[1.5, {}]'), json.dumps({'ä': [None]}))
logging.basicConfig(format='%(levelname)s %(process)d' .replace('%(process)d', '')); logging.warning('x')`,
  'threads and forks': `import os, threading, time
begun = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(20)]
for each in begun: each.start()
for each in begun: each.join()
print(threading.main_thread() is threading.current_thread(), threading.active_count(), flush=True)
child = os.fork()
if child == 0:
    print('child', threading.current_thread() is threading.main_thread(), flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])`,
  'specialised code and recursion': `def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
print(deep(900), sum(deep(n % 7) for n in range(20000)))
try: deep(10 ** 6)
except RecursionError as error: print(error)`,
  'the end': `import atexit, signal, os, weakref, gc, sys, threading
class Last:
    def __del__(self): print('del')
def generator():
    try: yield 1
    finally: print('closed')
kept, running = Last(), generator()
next(running); gc.collect()
atexit.register(print, 'at exit')
signal.signal(signal.SIGUSR1, lambda *_: print('signal')); os.kill(os.getpid(), signal.SIGUSR1)
threading.Thread(target=print, args=('thread',)).start()
print(weakref.ref(Last())()); sys.exit(3)`,
  'an exception': 'import json\njson.loads("{")',
  interruption: 'import os, signal; os.kill(os.getpid(), signal.SIGINT)',
};

describe('a snapshot of CPython 3.11', () => {
  let rig: SnapshotRig;
  beforeAll(async () => {
    rig = await snapshotRig(folder, '3.11.2');
    const {summary, stderr} = await rig.build('--startup', '--trace', `-c "${IMPORTS}"`);
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    expect(
      await rig.stateOf(rig.out, ['-c', `import sys, asyncio; print(sys.version_info[:2]); ${STATE}`]),
    ).toBe('(3, 11)\nrestored');
  });

  test.each(Object.entries(PROGRAMS))('does as without it: %s', async (name, code) => {
    const script = join(folder, 'program.py');
    writeFileSync(script, code);
    const words = [['-c', code, '--number', '4'], [script]];
    for (const args of name === 'argparse, json and logging' ? words.slice(0, 1) : words) {
      const {exitCode, stdout, stderr} = await rig.start(rig.unmodified, args);
      const restored = await rig.start(rig.out, args);
      const comparable = restored.stderr.replaceAll(rig.out, rig.unmodified);
      expect({...restored, stderr: comparable}).toMatchObject({exitCode, stdout, stderr});
    }
  });

  test('pools of processes work', async () => {
    const script = join(folder, 'pools.py');
    writeFileSync(
      script,
      `import multiprocessing
def more(n): return n + 1
if __name__ == '__main__':
    for method in 'fork', 'spawn', 'forkserver':
        with multiprocessing.get_context(method).Pool(2) as pool: print(method, pool.map(more, range(3)))
    import _flashfreeze; print(_flashfreeze.info()['snapshot'])
`,
    );
    expect(await rig.start(rig.out, [script])).toMatchObject({
      exitCode: 0,
      stdout: `fork [1, 2, 3]\nspawn [1, 2, 3]\nforkserver [1, 2, 3]\nrestored\n`,
    });
  });

  test('nothing that has to be unique is the same twice', async () => {
    const code =
      'import random, uuid, tempfile, os; print(random.random(), uuid.uuid4(), next(tempfile._get_candidate_names()), os.urandom(4).hex())';
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const {stdout} = await rig.start(rig.out, ['-c', code]);
      for (const word of stdout.trim().split(' ')) seen.add(word);
    }
    expect(seen.size).toBe(80);
  });
});
