/** New executables from installed Pythons, through the command line. */
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {describeInstallation} from '../../src/cpython/interpreter/installation/installation.js';
import {findStaticParts} from '../../src/hosts/installed/static-parts.js';
import {findPythons, systemPython} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';
import {flashfreeze, flashfreezeJson, run} from '../../support/rig.js';

jest.setTimeout(10 * 60_000);
const TRACE = ['--trace', '-c "import json, argparse, logging, dataclasses"'];
const folder = temporaryDirectory('relink');

/** Every file of an installation but bytecode and site-packages: name, kind, time and content. */
function inventory(prefix: string, series: string): string[] {
  const library = `lib/python${series}`;
  const files = (below: string, depth: boolean) =>
    readdirSync(join(prefix, below), {recursive: depth, withFileTypes: true})
      .map((entry) => [join(entry.parentPath, entry.name), entry] as const)
      .filter(([path]) => !/__pycache__|\/(site|dist)-packages\//.test(path));
  // Where the system's own Python lives, so do others.
  const programs = files('bin', false).filter(([path]) => /\/python[^/]*$/.test(path));
  return [...programs, ...files(library, true)]
    .map(([path, entry]) => {
      if (!entry.isFile()) return path;
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
      return `${path} ${statSync(path).mtimeMs} ${digest}`;
    })
    .sort();
}

const system = systemPython();
const pythons = [...findPythons(), ...(system === undefined ? [] : [system])];

describeWith(pythons.length > 0, 'another Python').each(
  pythons.map((python) => [python.python, python] as const),
)('%s', (path, found) => {
  const out = join(folder, path.replaceAll('/', '_'));
  const app = join(folder, `app${path.replaceAll('/', '_')}`);
  const script = join(app, 'main.py');
  let before: string[];
  let prefix: string;
  const relink = (...more: string[]) =>
    flashfreezeJson(['relink', '--python', path, '--out', out, ...TRACE, '--trace', script, ...more]);
  const answer = async (python: string, code: string, options: readonly string[] = []): Promise<unknown> => {
    const done = await run(python, ['-B', ...options, '-c', code]);
    if (done.exitCode !== 0) throw new Error(done.stderr);
    return JSON.parse(done.stdout) as unknown;
  };

  beforeAll(async () => {
    const installation = await describeInstallation(found);
    if (!installation.ok) throw new Error(installation.failure.message);
    // All these Pythons can be relinked; one that cannot says so in a sentence (unit tests).
    expect(findStaticParts(installation.value, false)).toMatchObject({ok: true});
    prefix = installation.value.target.prefix;
    before = inventory(prefix, found.series);
    mkdirSync(app);
    writeFileSync(script, 'import tricky\nprint(tricky.WORD)\n');
    writeFileSync(join(app, 'tricky.py'), 'WORD = "first"\ndef f(): return WORD in {"first", 1}\n');
  });

  test('is relinked, and not changed itself', async () => {
    const done = await relink();
    expect(done.stderr).toEqual(expect.not.stringContaining('error['));
    expect(done.summary).toMatchObject({
      ...{type: 'summary', ok: true, command: 'relink', method: 'link', output: out, stage1: null},
      sha256: createHash('sha256').update(readFileSync(out)).digest('hex'),
    });
    expect(done.summary.modules).toBeGreaterThan(30);
    expect(inventory(prefix, found.series)).toEqual(before);
  });

  test('a second run is up to date', async () => {
    const done = await relink();
    expect(done.summary).toMatchObject({
      ok: true,
      executed: [],
      actions: {executed: 0, cached: 0, failed: 0},
    });
  });

  test('every image equals a fresh compile', async () => {
    const done = await flashfreeze(['verify', '--images', out]);
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('has the paths of the original', async () => {
    const code = `if 1:
      import sys, json, sysconfig, site
      names = 'prefix exec_prefix base_prefix base_exec_prefix path platlibdir version abiflags'.split()
      found = {name: getattr(sys, name) for name in names}
      found['frozen'] = [m.__spec__.origin for m in (site, __import__('os'), __import__('zipimport'))]
      found['site'] = site.getsitepackages()
      found['paths'] = sysconfig.get_paths()
      print(json.dumps(found))`;
    expect(await answer(out, code)).toEqual(await answer(path, code));
    const extensions = `if 1:
      import json, pkgutil, sys, os
      folder = next(p for p in sys.path if p.endswith('lib-dynload'))
      names = sorted(m.name for m in pkgutil.iter_modules([folder]) if not m.name.startswith(('_test', 'xx', '_ctypes_test')))
      def loads(name):
          try: __import__(name); return True
          except ImportError as error: return str(error)
      print(json.dumps({name: loads(name) for name in names}))`;
    expect(await answer(out, extensions)).toEqual(await answer(path, extensions));
  });

  test('uses static code, also for the modules that CPython freezes itself', async () => {
    const code = `if 1:
      import json, _flashfreeze as f, importlib._bootstrap as b, importlib._bootstrap_external as e, zipimport, os
      print(json.dumps([f.info()['active'], [f.is_static(x.__code__) for x in (
          json.loads, os.walk, b._find_spec, e.cache_from_source, zipimport._read_directory)]]))`;
    expect(await answer(out, code)).toEqual([true, [true, true, true, true, true]]);
    expect(await answer(out, code, ['-X', 'flashfreeze=off'])).toEqual([false, Array(5).fill(false)]);
  });

  test('modules that are left to CPython still work', async () => {
    const code =
      'import __phello__.spam, __hello_only__' + (found.series === '3.10' ? '' : ', __phello__.ham.eggs');
    const names = found.series === '3.10' ? 'import __phello__.spam' : code;
    const [ours, theirs] = await Promise.all([out, path].map((python) => run(python, ['-B', '-c', names])));
    expect(ours).toEqual(theirs);
    expect(ours?.exitCode).toBe(0);
  });

  test('an edit costs one module', async () => {
    writeFileSync(
      join(app, 'tricky.py'),
      `WORD = "second ${Date.now()}"\ndef f(): return WORD in {"first", 1}\n`,
    );
    const done = await relink();
    const ids = ['compile:tricky', 'generate:tricky', 'link:python'];
    expect(done.summary).toMatchObject({ok: true, executed: ids});
    expect((await run(out, ['-B', script])).stdout).toMatch(/^second /);
  });

  test('the output must be a file, and not the original', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const place of [path, realpathSync(path), pipe]) {
      const done = await flashfreezeJson(['relink', '--python', path, '--out', place]);
      expect(done.exitCode).toBe(2);
      expect(done.stderr).toMatch(/error\[OUTPUT\]/);
    }
    rmSync(pipe);
    const link = join(folder, 'link');
    symlinkSync(path, link);
    expect((await flashfreeze(['relink', '--python', path, '--out', link])).exitCode).toBe(2);
    rmSync(link);
  });

  test('an output near another library, which it would use as its own, is rejected', async () => {
    const place = join(folder, `near${path.replaceAll('/', '_')}`);
    mkdirSync(join(place, 'lib'), {recursive: true});
    const library = join(prefix, 'lib', `python${found.series}`);
    symlinkSync(library, join(place, 'lib', `python${found.series}`));
    const near = join(place, 'bin', 'python');
    const done = await flashfreeze(['relink', '--python', path, '--out', near, ...TRACE]);
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toMatch(/error\[SMOKE\].*prefix.*\nhint: .*--out/);
    expect(existsSync(near)).toBe(false);
  });

  test('the installation is unchanged at the end', () => {
    expect(inventory(prefix, found.series)).toEqual(before);
  });
});
