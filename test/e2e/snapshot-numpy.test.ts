/** A snapshot with numpy, from its wheel: libraries with names of their own beside it, OpenBLAS's threads, code that the processor's features decide. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import {run, withoutUsersVariables} from '../../support/rig.js';
import {extensionRig} from '../support/extension-rig.js';
import {SYSTEM_PYTHON, hasLinkablePython} from '../support/linkable-python.js';
import {STATE} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('snapshot-numpy');

const PROGRAM = `import numpy as np, os, sys, threading
a = np.arange(10000.0).reshape(100, 100)
print((a @ a).sum(), np.linalg.inv(a + np.eye(100) * 1e4).trace(), np.fft.fft(np.arange(8))[1])
big = np.ones((700, 700))
print((big @ big)[3, 3])
thread = threading.Thread(target=lambda: print(np.dot(big, big)[0, 0], np.sqrt(np.arange(5)), flush=True)); thread.start(); thread.join()
with np.errstate(divide='raise'):
    try: np.array([1.0]) / 0
    except FloatingPointError as error: print(error)
try: np.zeros(3) + np.zeros(4)
except ValueError as error: print(error)
print(np.random.default_rng(3).random(3), np.random.RandomState(5).rand(2), np.array(['a', 'bc']) == 'a', np.float128(3) / 7)
sys.stdout.flush()
if os.fork() == 0: print((big @ big)[1, 1]); sys.stdout.flush(); os._exit(0)
os.wait()
`;

/** Kept by a module: those that the system has seeded, and others. */
const GENERATORS = `from numpy import random as r
new = [r.default_rng(), r.RandomState(), *(r.Generator(kind()) for kind in (r.Philox, r.SFC64, r.MT19937))]
fixed = [r.default_rng(5), r.RandomState(5), r.Generator(r.SFC64(7))]
seeds = r.SeedSequence()
`;

describeWith(hasLinkablePython(), 'a Python of the system that can be relinked')('of the system', () => {
  test('numpy is whole, does what it does, and draws other numbers in each process', async () => {
    const rig = await extensionRig(folder);
    const words = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:'];
    // With the user's own settings of pip.
    const installed = await run(SYSTEM_PYTHON, [...words, '--target', rig.packages, 'numpy'], {
      environment: withoutUsersVariables(/^PYTHON/),
    });
    if (installed.exitCode !== 0) {
      process.stderr.write('note: pip has no wheel of numpy here, so nothing was tried\n');
      return;
    }
    const out = join(folder, 'bin', 'python');
    writeFileSync(join(rig.packages, 'generators.py'), GENERATORS);
    const said = await rig.build(
      out,
      ...['--startup', '--module', 'numpy', '--module', 'numpy.random', '--module', 'generators'],
    );
    expect(said).not.toContain('left out of the snapshot');
    const expected = await rig.start(SYSTEM_PYTHON, '-c', PROGRAM);
    expect(expected).toMatchObject({exitCode: 0, stderr: ''});
    expect(await rig.start(out, '-c', PROGRAM)).toEqual(expected);
    const drawn = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const {stdout} = await rig.start(out, '-c', `import numpy; print(numpy.random.rand()); ${STATE}`);
      expect(stdout).toMatch(/\nrestored\n$/);
      drawn.add(stdout);
    }
    expect(drawn.size).toBe(20);
    const fixed =
      'from generators import *; print([g.random() for g in fixed], fixed[0].bit_generator.seed_seq)';
    const {stdout: known} = await rig.start(SYSTEM_PYTHON, '-c', fixed);
    expect(known).toContain('entropy=5');
    const seeds = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const own = `for each in [*(g.random() for g in new), seeds.entropy, new[0].bit_generator.seed_seq.entropy]: print(each)`;
      const {stdout} = await rig.start(out, '-c', `${fixed}\n${own}\n${STATE}`);
      expect(stdout.startsWith(known)).toBe(true);
      expect(stdout.endsWith('\nrestored\n')).toBe(true);
      for (const line of stdout.slice(known.length).split('\n').slice(0, 7)) seeds.add(line);
    }
    expect(seeds.size).toBe(21);
    // What a start draws anew is the snapshot's: the end of a process that made objects of libraries is the whole one.
    const own = `import gc; print([o for o in gc.get_objects() if type(o).__module__.startswith("numpy")]); ${STATE}`;
    expect((await rig.start(out, '-c', own)).stdout).toBe('[]\nrestored\n');
    // A wheel that is installed again means ordinary starts.
    await rig.start('touch', join(rig.packages, 'numpy', '__init__.py'));
    expect((await rig.start(out, '-c', `import numpy; ${STATE}`)).stdout).not.toBe('restored\n');
  });
});
