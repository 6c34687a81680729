/** Copies of installed Pythons' executables that need their images, through the command line. */
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, renameSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {graftLibrary} from '../../src/hosts/installed/graft-host.js';
import {findPythons, systemPython} from '../../support/pythons.js';
import {flashfreeze, flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('graft');
const system = systemPython();
const pythons = [...findPythons(), ...(system === undefined ? [] : [system])];
const hasPatchelf = spawnSync('patchelf', ['--version']).status === 0;

/** What a program can see of how its interpreter started, but for _flashfreeze and the interpreter's own name. */
const STATE = `
import sys, os, json
names = 'prefix exec_prefix base_prefix base_exec_prefix path flags hash_info platlibdir'.split()
found = {name: repr(getattr(sys, name)) for name in names}
found['modules'] = list(sys.modules)
found['builtin'] = [name for name in sys.builtin_module_names if name != '_flashfreeze']
found['specs'] = {name: repr(getattr(m, '__spec__', None)) for name, m in sys.modules.items() if name != '__main__'}
found['codes'] = {name: repr(getattr(m, '__file__', None)) for name, m in sys.modules.items()}
found['environment'] = {k: v for k, v in os.environ.items() if k != '_'}
import re
print(re.sub('0x[0-9a-f]+', '0x', json.dumps(found)))`;

describeWith(hasPatchelf && pythons.length > 0, 'patchelf and another Python').each(
  pythons.map((python) => [python.python, python] as const),
)('%s', (path, {series}) => {
  const out = join(folder, path.replaceAll('/', '_'), 'bin', 'python');
  const build = (...more: string[]) =>
    flashfreezeJson([
      ...['relink', '--method', 'graft', '--python', path, '--out', out],
      ...['--trace', '-c "import json, dataclasses"', ...more],
    ]);
  const ask = async (python: string, ...args: string[]): Promise<unknown> =>
    JSON.parse((await run(python, ['-B', ...args])).stdout);
  const original = readFileSync(path);
  const used = 'import _flashfreeze as f, json; i = f.info(); print(json.dumps([i["active"], i["used"]]))';

  beforeAll(async () => {
    expect((await build()).exitCode).toBe(0);
  });

  test('images are in use, from the first module that is imported from a file', async () => {
    const code =
      'import sys, json, _flashfreeze as f, codecs, encodings, os, site; print(json.dumps(' +
      '[f.is_static(m.__code__) for m in (codecs.open, encodings.search_function, os.makedirs, site.main)]))';
    expect(await ask(out, '-c', code)).toEqual([true, true, true, true]);
  });

  test('a program sees what it sees in the original', async () => {
    expect(await ask(out, '-c', STATE)).toEqual(await ask(path, '-c', STATE));
    expect(await ask(out, '-I', '-X', 'utf8', '-c', STATE)).toEqual(
      await ask(path, '-I', '-X', 'utf8', '-c', STATE),
    );
  });

  test('images equal a fresh compile', async () => {
    const verified = await flashfreeze(['verify', '--images', out]);
    expect(verified).toMatchObject({exitCode: 0});
    expect(verified.stdout + verified.stderr).toMatch(/equal a fresh compile/);
  });

  test('a second run is up to date', async () => {
    expect((await build()).summary).toMatchObject({actions: {executed: 0, failed: 0}});
  });

  test('a child uses images, too, and images can be disabled', async () => {
    const child = `import subprocess, sys; subprocess.run([sys.executable, '-c', ${JSON.stringify(used)}], check=True)`;
    expect(await ask(out, '-c', child)).toEqual([true, expect.any(Number)]);
    const off = 'import _flashfreeze as f, json; print(json.dumps(f.info()["used"]))';
    expect(await ask(out, '-X', 'flashfreeze=off', '-c', off)).toBe(0);
  });

  test('the executable, its library and its stamps can be moved together, and the original is as it was', () => {
    const moved = join(folder, `${path.replaceAll('/', '_')}-moved`);
    mkdirSync(moved);
    renameSync(out, join(moved, 'python'));
    for (const ending of ['', '.stamps']) {
      renameSync(graftLibrary(out) + ending, graftLibrary(join(moved, 'python')) + ending);
    }
    const started = execFileSync(join(moved, 'python'), ['-B', '-c', used], {encoding: 'utf8'});
    expect((JSON.parse(started) as unknown[])[0]).toBe(true);
    expect(readFileSync(path).equals(original)).toBe(true);
    expect(series).toMatch(/^3\./);
  });
});
