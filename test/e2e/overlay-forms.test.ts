/** Overlays in other forms than the usual one: from a virtual environment, and with nothing to serve. */
import {cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import {findPythons, systemPython} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {type Run, flashfreeze, flashfreezeJson, run} from '../../support/rig.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('overlay');
const system = systemPython();
const pythons = findPythons();

/** Runs code with nothing in the environment that switches an overlay on or off. */
function python(exe: string, code: string): Promise<Run> {
  return run(exe, ['-B', '-c', code], {environment: {PYTHONPATH: undefined, FLASHFREEZE: undefined}});
}

test('made from a virtual environment, it also has the modules of the environment', async () => {
  const found = system ?? pythons.at(-1);
  const venv = join(folder, 'with-packages');
  expect((await run(found?.python ?? '', ['-B', '-m', 'venv', '--without-pip', venv])).exitCode).toBe(0);
  const packages = join(venv, 'lib', `python${found?.series ?? ''}`, 'site-packages');
  mkdirSync(join(packages, 'mine'));
  writeFileSync(join(packages, 'mine', '__init__.py'), 'from . import inner\n');
  writeFileSync(join(packages, 'mine', 'inner.py'), 'def f(): return "mine"\n');
  const inVenv = join(venv, 'bin', 'python');
  const out = join(folder, 'for-packages');
  const words = ['overlay', '--python', inVenv, '--out', out, '--trace', '-c "import mine, json"'];
  expect((await flashfreezeJson(words)).summary.ok).toBe(true);
  cpSync(join(out, 'flashfreeze.pth'), join(packages, 'flashfreeze.pth'));
  const code =
    'import mine.inner as i, json, _flashfreeze as f; print(*map(f.is_static, (i.f.__code__, json.loads.__code__)))';
  expect((await python(inVenv, code)).stdout).toBe('True True\n');
  expect((await python(join(out, 'bin', `python${found?.series ?? ''}`), code)).stdout).toBe('True True\n');
});

test('without a module that an overlay can serve, it fails with an error', async () => {
  const words = ['overlay', '--python', pythons.at(-1)?.python ?? '', '--out', join(folder, 'nothing')];
  const done = await flashfreeze([...words, '--module', 'sys']);
  expect(done.exitCode).toBe(2);
  expect(done.stderr).toMatch(/error\[NO_MODULE\].*\nhint: .*--trace/);
});
