/** Images for installed Pythons that stay as they are, through the command line. */
import {cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type FoundPython, everyPython, findPythons, systemPython} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';
import {type Run, flashfreeze, flashfreezeJson, run} from '../../support/rig.js';

jest.setTimeout(10 * 60_000);
const TRACE = ['--trace', '-c "import json, argparse, logging, dataclasses"'];
const folder = temporaryDirectory('overlay');

const system = systemPython();
const pythons = [...findPythons(), ...(system === undefined ? [] : [system])];
const nameOf = ({python}: FoundPython): string => python.replaceAll('/', '_');
const placeOf = (found: FoundPython): string => join(folder, `overlay${nameOf(found)}`);

/** Runs code with nothing in the environment but what is given. */
function python(
  exe: string,
  code: string,
  {options = [], environment = {}}: {options?: readonly string[]; environment?: Record<string, string>} = {},
): Promise<Run> {
  const clean = {PYTHONPATH: undefined, FLASHFREEZE: undefined};
  return run(exe, ['-B', ...options, '-c', code], {environment: {...clean, ...environment}});
}

/** Whether json comes from the overlay, and why not. */
const IN_USE = `if 1:
  import json, sys
  f = sys.modules.get('_flashfreeze')
  print(json.dumps(f and [f.is_static(json.loads.__code__), f.info()['inactive_because']]))`;

async function inUse(exe: string, more: Parameters<typeof python>[2] = {}): Promise<unknown> {
  const done = await python(exe, IN_USE, more);
  expect(done.stderr).toBe('');
  return JSON.parse(done.stdout);
}

describeWith(pythons.length > 0, 'another Python').each(
  pythons.map((found) => [found.python, found] as const),
)('%s', (path, found) => {
  const out = placeOf(found);
  const wrapper = join(out, 'bin', `python${found.series}`);
  const venv = join(folder, `venv${nameOf(found)}`);
  const packages = join(venv, 'lib', `python${found.series}`, 'site-packages');
  const inVenv = join(venv, 'bin', 'python');

  beforeAll(async () => {
    const done = await flashfreezeJson(['overlay', '--python', path, '--out', out, ...TRACE]);
    expect(done.stderr).toEqual(expect.not.stringContaining('error['));
    expect(done.summary).toMatchObject({ok: true, command: 'overlay', output: out, stage1: null});
    expect((await run(path, ['-B', '-m', 'venv', '--without-pip', venv])).exitCode).toBe(0);
    cpSync(join(out, 'flashfreeze.pth'), join(packages, 'flashfreeze.pth'));
  });

  test('a second run is up to date', async () => {
    const done = await flashfreezeJson(['overlay', '--python', path, '--out', out, ...TRACE]);
    expect(done.summary).toMatchObject({ok: true, executed: [], actions: {executed: 0, failed: 0}});
  });

  test('a lost hook is written again, without a link', async () => {
    rmSync(join(out, 'flashfreeze.pth'));
    const done = await flashfreezeJson(['overlay', '--python', path, '--out', out, ...TRACE]);
    expect(done.summary).toMatchObject({ok: true, executed: ['link:hooks']});
  });

  test('every image equals a fresh compile', async () => {
    expect(await flashfreeze(['verify', '--images', wrapper])).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('is enabled by a .pth file, by a variable, and by the wrapper; not otherwise', async () => {
    expect(await inUse(path)).toBe(null);
    expect(await inUse(inVenv)).toEqual([true, null]);
    expect(await inUse(wrapper)).toEqual([true, null]);
    expect(await inUse(path, {environment: {PYTHONPATH: join(out, 'site')}})).toEqual([true, null]);
    expect(await inUse(inVenv, {environment: {PYTHONPATH: join(out, 'site')}})).toEqual([true, null]);
    expect((await flashfreezeJson(['doctor', inVenv])).summary).toMatchObject({ok: true});
    expect((await flashfreezeJson(['doctor', path])).stderr).toMatch(/error\[SMOKE\].*overlay/);
  });

  test('is disabled by -X, by a variable that -E ignores, and under -O and the like', async () => {
    const off = [false, 'switched off'];
    expect(await inUse(inVenv, {options: ['-X', 'flashfreeze=off']})).toEqual(off);
    expect(await inUse(inVenv, {environment: {FLASHFREEZE: 'off'}})).toEqual(off);
    expect(await inUse(inVenv, {options: ['-E'], environment: {FLASHFREEZE: 'off'}})).toEqual([true, null]);
    expect(await inUse(inVenv, {options: ['-O']})).toEqual([false, expect.stringContaining('-O')]);
    expect(await inUse(wrapper, {options: ['-I']})).toBe(null);
  });

  test('has no other visible effect', async () => {
    const code = `if 1:
      import sys, json, os
      print(json.dumps([sorted(set(sys.modules) - {'_flashfreeze'}), sys.path, sorted(sys.path_importer_cache), sys.argv,
        sys.orig_argv[1:], [str(type(x)) for x in sys.meta_path], sys.executable, sys.prefix, str(sys.flags),
        getattr(sys.modules.get('sitecustomize'), '__file__', None), sorted(vars(sys.modules['site']))]))`;
    const [plain, wrapped] = await Promise.all([path, wrapper].map((exe) => python(exe, code)));
    expect(wrapped?.stderr).toBe('');
    expect(JSON.parse(wrapped?.stdout ?? '')).toEqual(JSON.parse(plain?.stdout ?? ''));
    const hooked = await python(inVenv, code);
    // From 3.13 on, a .pth file costs the codec that reads it.
    writeFileSync(join(packages, 'flashfreeze.pth'), 'import sys\n');
    const bare = await python(inVenv, code);
    cpSync(join(out, 'flashfreeze.pth'), join(packages, 'flashfreeze.pth'));
    expect(JSON.parse(hooked.stdout)).toEqual(JSON.parse(bare.stdout));
  });

  test('modules look as they do without it', async () => {
    const code = `if 1:
      import json.decoder, argparse, importlib, inspect, pickle
      def look(m):
          s = m.__spec__
          return [m.__file__, m.__cached__, m.__package__, m.__doc__, getattr(m, '__path__', None), s.name, s.origin,
                  s.cached, s.has_location, s.submodule_search_locations, type(s.loader).__name__, list(vars(m))[:12]]
      print(json.dumps([look(m) for m in (json, json.decoder, argparse)] + [inspect.getsource(argparse)[:200],
        json.loads.__code__.co_filename, [list(l) for l in json.loads.__code__.co_lines()]]))`;
    const [plain, wrapped] = await Promise.all([path, wrapper].map((exe) => python(exe, code)));
    expect(wrapped).toMatchObject({exitCode: 0, stderr: ''});
    expect(JSON.parse(wrapped?.stdout ?? '')).toEqual(JSON.parse(plain?.stdout ?? ''));
  });

  test('child processes load it, too', async () => {
    const code = `import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-B', '-c', ${JSON.stringify(IN_USE)}]).returncode)`;
    expect((await python(wrapper, code)).stdout).toBe('[true, null]\n');
  });

  test('a damaged or missing overlay is ignored', async () => {
    const copy = join(folder, `damaged${nameOf(found)}`);
    mkdirSync(copy);
    const [extension = ''] = readdirSync(out).filter((name) => name.endsWith('.so'));
    const line = readFileSync(join(out, 'flashfreeze.pth'), 'utf8').replaceAll(out, copy);
    writeFileSync(join(packages, 'flashfreeze.pth'), line);
    expect(await inUse(inVenv)).toBe(null);
    for (const bytes of [Buffer.alloc(0), Buffer.from('no library'), Buffer.alloc(5000, '\x7fELF')]) {
      writeFileSync(join(copy, extension), bytes);
      expect(await inUse(inVenv)).toBe(null);
    }
    cpSync(join(out, 'flashfreeze.pth'), join(packages, 'flashfreeze.pth'));
    expect(await inUse(inVenv)).toEqual([true, null]);
  });

  test('other Pythons ignore it', async () => {
    const all = [...everyPython(), ...(system === undefined ? [] : [system])];
    for (const other of all.filter(({python: exe}) => exe !== path)) {
      const seen = await inUse(other.python, {environment: {PYTHONPATH: join(out, 'site')}});
      const expected = other.series === found.series ? [false, expect.stringContaining('another')] : null;
      expect(seen).toEqual(expected);
    }
  });
});
