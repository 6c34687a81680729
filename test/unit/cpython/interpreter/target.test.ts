import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {describeTarget} from '../../../../src/cpython/interpreter/target.js';
import {
  packageModules,
  resolveModules,
  stdlibModules,
} from '../../../../src/cpython/interpreter/modules/resolve-modules.js';
import {findPythons, type FoundPython} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {writeFiles} from '../folders.js';

const folder = temporaryDirectory();

describe.each(findPythons().map((found) => [found.series, found] as const))('Python %s', (series, found) => {
  const ask = (code: string): string => execFileSync(found.python, ['-c', code], {encoding: 'utf8'}).trim();

  test('describeTarget describes it', async () => {
    const result = await describeTarget(found);
    if (!result.ok) throw new Error(result.failure.message);
    const target = result.value;
    expect(target.version.series).toBe(series);
    expect(target.version.hex).toBe(Number(ask('import sys; print(sys.hexversion)')));
    expect(target.magic).toBe(ask('import importlib.util as u; print(u.MAGIC_NUMBER.hex())'));
    expect(target.cacheTag).toBe(`cpython-${series.replace('.', '')}`);
    expect(existsSync(join(target.stdlib, 'os.py'))).toBe(true);
    expect(target.extensionSuffix).toMatch(/\.so$/);
    expect(target.builtinModules).toContain('_imp');
    expect(target.path).toContain(target.stdlib);
    expect(target.path.some((entry) => entry.includes('scripts'))).toBe(false);
  });

  test('describeTarget lists the frozen modules, with the module whose code each has', async () => {
    const result = await describeTarget(found);
    const rows = new Map((result.ok ? result.value.frozen : []).map((row) => [row.name, row]));
    expect(rows.get('_frozen_importlib')).toMatchObject({origin: 'importlib._bootstrap', isPackage: false});
    if (series === '3.10') {
      expect([...rows.keys()]).toEqual(['_frozen_importlib', '_frozen_importlib_external', 'zipimport']);
      return;
    }
    expect(rows.get('os.path')).toMatchObject({
      origin: 'posixpath',
      source: {root: 'stdlib', path: 'posixpath.py'},
    });
    expect(rows.get('__phello__')).toMatchObject({isPackage: true, source: {path: '__phello__/__init__.py'}});
    expect(rows.get('__phello__.__init__')).toMatchObject({
      isPackage: false,
      source: {path: '__phello__/__init__.py'},
    });
    expect(rows.get('__phello_alias__')).toMatchObject({isPackage: true, source: {path: '__hello__.py'}});
    expect(rows.get('__hello_only__')).toMatchObject({
      source: {root: 'source-tree', path: 'Tools/freeze/flag.py'},
    });
    const {stdlib} = result.ok ? result.value : {stdlib: ''};
    for (const {origin, source} of rows.values()) {
      // What only CPython's tests import need not be installed.
      if (source.root !== 'stdlib' || origin.startsWith('__')) continue;
      expect(existsSync(join(stdlib, source.path))).toBe(true);
    }
  });

  test('resolveModules finds modules of all kinds, by name, in order', async () => {
    const result = await resolveModules(found, ['json.decoder', 'sys', 'asyncio']);
    expect(result).toMatchObject({
      ok: true,
      value: [
        {
          name: 'json.decoder',
          kind: 'source',
          isPackage: false,
          origin: expect.stringMatching(/json\/decoder\.py$/),
        },
        {name: 'sys', kind: 'builtin', origin: null},
        {name: 'asyncio', kind: 'source', isPackage: true},
      ],
    });
  });

  test.each([
    ['jsn', /did you mean .*json/],
    ['json.decodr', /did you mean json\.decoder/],
    ['jsn.decoder', /did you mean .*json/],
    ['no_such_thing_at_all', /importable by that Python/],
  ])('resolveModules misses %s and guesses what was meant', async (name, hint) => {
    expect(await resolveModules(found, ['os', name])).toMatchObject({
      ok: false,
      failure: {code: 'NO_MODULE', message: expect.stringContaining(name), hint: expect.stringMatching(hint)},
    });
  });

  test('packageModules finds every submodule, imports none, and minds what packages print', async () => {
    writeFiles(folder, {
      'pkg/__init__.py': 'print("hello")\n',
      'pkg/b.py': '1/0\n',
      'pkg/a/__init__.py': '1/0\n',
      'pkg/a/deep.py': '1/0\n',
      'pkg/not-a-name.py': '',
      'pkg/data.txt': '',
    });
    const environment = {...found.environment, PYTHONPATH: folder};
    const result = await packageModules({...found, environment}, 'pkg');
    expect(result.ok && result.value.map(({name}) => name)).toEqual([
      'pkg',
      'pkg.a',
      'pkg.a.deep',
      'pkg.b',
      'pkg.not-a-name',
    ]);
    expect(await resolveModules({...found, environment}, ['pkg.a.deep'])).toMatchObject({
      ok: false,
      failure: {code: 'NO_MODULE', message: expect.stringContaining('ZeroDivisionError')},
    });
  });

  test('stdlibModules: what has source, tests only when asked for', async () => {
    const [plain, tests] = await Promise.all([stdlibModules(found), stdlibModules(found, {tests: true})]);
    const names = new Set(plain.ok ? plain.value.map(({name}) => name) : []);
    for (const name of [
      'os',
      'json.decoder',
      'asyncio.base_events',
      'encodings.utf_8',
      'importlib._bootstrap',
    ]) {
      expect(names).toContain(name);
    }
    for (const name of ['sys', 'test', 'unittest.test', 'idlelib.idle_test', '_socket']) {
      expect(names).not.toContain(name);
    }
    expect(tests.ok && tests.value.length).toBeGreaterThan(names.size);
  });
});

describe('not a Python', () => {
  const [found] = findPythons() as [FoundPython];
  test.each([['/nowhere/python3'], ['/bin/true'], ['/bin/false']])('%s fails', async (python) => {
    expect(await describeTarget({...found, python})).toMatchObject({ok: false, failure: {code: 'PYTHON'}});
  });
});
