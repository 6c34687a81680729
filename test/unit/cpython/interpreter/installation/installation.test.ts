import {execFileSync} from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {
  describeInstallation,
  isExecutableOf,
} from '../../../../../src/cpython/interpreter/installation/installation.js';
import {scriptPath} from '../../../../../src/cpython/interpreter/scripts.js';
import {
  firstDifference,
  type InterpreterPaths,
} from '../../../../../src/cpython/interpreter/installation/interpreter-paths.js';
import {findPythons, type FoundPython} from '../../../../../support/pythons.js';
import {temporaryDirectory} from '../../../../support/temporary-directory.js';
import {writeFiles} from '../../folders.js';

const folder = temporaryDirectory();

async function installationOf(found: FoundPython) {
  const described = await describeInstallation(found);
  if (!described.ok) throw new Error(described.failure.message);
  return described.value;
}

describe.each(findPythons().map((found) => [found.series, found] as const))('Python %s', (series, found) => {
  test('reports how it was compiled and linked', async () => {
    const {variables, headers, files, target} = await installationOf(found);
    expect(variables.LIBRARY).toBe(`libpython${series}${target.abiflags}.a`);
    expect(variables.PY_CORE_CFLAGS).toContain('-DPy_BUILD_CORE');
    expect(existsSync(join(headers[0] ?? '', 'Python.h'))).toBe(true);
    for (const file of files) expect(existsSync(file)).toBe(true);
  });

  test('that was unpacked elsewhere has headers and archive in its own directory, not where sysconfig says', async () => {
    const {variables, headers, target} = await installationOf(found);
    const [library, below] = [
      join(folder, `moved-${series}`, 'lib', `python${series}`),
      `lib/python${series}`,
    ];
    const prefix = target.stdlib.slice(0, -below.length);
    mkdirSync(join(folder, `moved-${series}`, 'bin'), {recursive: true});
    mkdirSync(library, {recursive: true});
    const python = join(folder, `moved-${series}`, 'bin', `python${series}`);
    copyFileSync(target.executable, python);
    symlinkSync(join(prefix, 'include'), join(folder, `moved-${series}`, 'include'));
    for (const name of readdirSync(target.stdlib)) {
      if (name.startsWith('_sysconfigdata')) {
        const text = readFileSync(join(target.stdlib, name), 'utf8');
        writeFileSync(join(library, name), text.replaceAll(prefix, '/nowhere/'));
      } else if (name !== '__pycache__') symlinkSync(join(target.stdlib, name), join(library, name));
    }
    const moved = await installationOf({...found, python});
    const inMoved = (path: string): string => join(folder, `moved-${series}`, path.slice(prefix.length));
    expect(moved.headers).toEqual(headers.map(inMoved));
    expect(moved.variables.LIBPL).toBe(inMoved(variables.LIBPL));
  });

  test('has frozen code that its sources compile to, also where CPython has tuples for frozensets', async () => {
    const {reproducible, target} = await installationOf(found);
    const needed = ['_frozen_importlib', '_frozen_importlib_external', 'zipimport'];
    const site = series === '3.10' ? [] : ['os', 'site', 'os.path'];
    expect(reproducible).toEqual(expect.arrayContaining([...needed, ...site]));
    // Their sources are not in an installation.
    expect(reproducible).not.toContain('__hello_only__');
    for (const name of reproducible) expect(target.frozen.map((row) => row.name)).toContain(name);
  });

  test('has none whose source changed since it was built', async () => {
    const {target} = await installationOf(found);
    const source = readFileSync(join(target.stdlib, 'zipimport.py'), 'utf8');
    const check = (changed: string): unknown => {
      writeFiles(folder, {'zipimport.py': changed});
      const request = JSON.stringify({frozen: {zipimport: join(folder, 'zipimport.py')}, variables: []});
      writeFiles(folder, {request});
      const [answer, script] = [join(folder, 'answer'), scriptPath('describe_installation.py')];
      execFileSync(found.python, ['-B', script, answer, join(folder, 'request')]);
      return (JSON.parse(readFileSync(answer, 'utf8')) as {reproducible: unknown}).reproducible;
    };
    expect(check(source)).toEqual(['zipimport']);
    expect(check(`${source}\n# more\n`)).toEqual(['zipimport']);
    expect(check(`${source}\nmore = 1\n`)).toEqual([]);
    // `1` and `True` are equal; another line number is another line table.
    expect(check(source.replace('signal_size = 1', 'signal_size = True').concat('\nmore = 0\n'))).toEqual([]);
    expect(check(`\n${source}`)).toEqual([]);
  });

  test('a script that chooses a Python is not that Python', async () => {
    const {target} = await installationOf(found);
    writeFiles(folder, {shim: `#!/bin/sh\nexec ${target.executable} "$@"\n`});
    const shim = join(folder, 'shim');
    const through = await installationOf({...found, python: shim});
    expect(through.target.executable).toBe(target.executable);
    expect(await isExecutableOf(shim, target)).toBe(false);
    expect(await isExecutableOf(target.executable, target)).toBe(true);
  });

  test('in a virtual environment, reports its base Python', async () => {
    const place = join(folder, `venv-${series}`);
    execFileSync(found.python, ['-m', 'venv', '--without-pip', place]);
    const {target, baseExecutable, files, headers} = await installationOf({
      ...found,
      python: join(place, 'bin/python'),
    });
    expect(target.prefix).toBe(place);
    expect(baseExecutable.startsWith(target.basePrefix)).toBe(true);
    expect(files).toContain(join(place, 'pyvenv.cfg'));
    expect(existsSync(join(headers[0] ?? '', 'Python.h'))).toBe(true);
  });
});

test('firstDifference names what differs', () => {
  const found: InterpreterPaths = {
    prefix: '/usr',
    exec_prefix: '/usr',
    base_prefix: '/usr',
    base_exec_prefix: '/usr',
    stdlib: '/usr/lib/python3.11',
    path: ['/usr/lib/python3.11'],
  };
  expect(firstDifference(found, found)).toBeUndefined();
  expect(firstDifference({...found, path: ['/x']}, found)).toBe(
    'path is ["/x"] instead of ["/usr/lib/python3.11"]',
  );
  expect(firstDifference({...found, prefix: '/'}, found)).toBe('prefix is "/" instead of "/usr"');
});
