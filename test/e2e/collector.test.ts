/** `--rest-collector`: the garbage collector rests while frozen modules are imported, and is then as it was. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('collector');

const MODULES = {
  // Makes objects that stay, more than the threshold of any version.
  quiet: 'import gc\nduring = gc.get_threshold()[0]\nkept = [[] for _ in range(50_000)]\n',
  setting: 'import gc\ngc.set_threshold(321)\n',
  failing: 'kept = [[] for _ in range(50_000)]\nraise ValueError("no")\n',
  // Waits in the midst of its import, in a program that has a gate.
  waiting:
    'import sys\ngate = sys.modules.get("gate")\nif gate:\n    gate.entered.set()\n    gate.left.wait()\n',
  // A program that runs in an import.
  endless: 'for _ in range(300_000):\n    circle = []\n    circle.append(circle)\n',
};
const ALL = Object.keys(MODULES).map((name) => `-c "import ${name}"`);

// It rests up to 3.13.
const able = findPythons().filter(({series}) => Number(series.split('.')[1]) <= 13);
const pythons = able.filter((each) => each === able[0] || each === able.at(-1));

describe.each(pythons.map(({series, python}) => [series, python] as const))('%s', (series, python) => {
  const exe = join(folder, series);
  beforeAll(async () => {
    for (const [name, text] of Object.entries(MODULES)) writeFileSync(join(folder, `${name}.py`), text);
    const words = [
      '--python',
      python,
      '--out',
      exe,
      '--rest-collector',
      ...ALL.flatMap((each) => ['--trace', each]),
    ];
    const {summary, stderr} = await flashfreezeJson(['relink', ...words], {cwd: folder});
    if (!summary.ok) throw new Error(stderr);
  });

  /** What the program prints, as JSON. */
  const answer = async (program: string): Promise<unknown> => {
    const code = `import gc, json, sys
before = gc.get_threshold()
collections = lambda: sum(each['collections'] for each in gc.get_stats())
${program}`;
    const done = await run(exe, ['-B', '-c', code], {cwd: folder, environment: {PYTHONPATH: folder}});
    expect(done.stderr).toBe('');
    return JSON.parse(done.stdout);
  };

  test('no collection during an import; thresholds and counters are restored', async () => {
    const program = `gc.collect(); n = collections()
import quiet
print(json.dumps([quiet.during - before[0], collections() - n, gc.get_threshold() == before, gc.get_count()[0] <= before[0]]))`;
    expect(await answer(program)).toEqual([100_000, 0, true, true]);
  });

  test('thresholds that a module sets stay', async () => {
    expect(await answer('import setting\nprint(json.dumps(gc.get_threshold()[0]))')).toBe(321);
  });

  test('they are also restored after a failed import', async () => {
    const program = `try:
    import failing
except ValueError:
    pass
print(json.dumps(gc.get_threshold() == before))`;
    expect(await answer(program)).toBe(true);
  });

  test('they are restored in a child that is forked while another thread imports', async () => {
    const program = `import os, threading, types, warnings
warnings.simplefilter('ignore')
gate = sys.modules['gate'] = types.ModuleType('gate')
gate.entered, gate.left = threading.Event(), threading.Event()
thread = threading.Thread(target=__import__, args=('waiting',))
thread.start()
gate.entered.wait()
paused = gc.get_threshold() != before
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    after_fork = gc.get_threshold() == before
    import quiet
    os.write(write, json.dumps([after_fork, quiet.during - before[0], gc.get_threshold() == before]).encode())
    os._exit(0)
os.waitpid(pid, 0)
gate.left.set()
thread.join()
print(json.dumps([paused, json.loads(os.read(read, 100)), gc.get_threshold() == before]))`;
    expect(await answer(program)).toEqual([true, [true, 100_000, true], true]);
  });

  test('an import that creates much garbage triggers collections', async () => {
    const program = 'n = collections()\nimport endless\nprint(json.dumps(collections() - n > 0))';
    expect(await answer(program)).toBe(true);
  });
});
