/** Installations that move, a standard library in a zip file, and packages of which a part is frozen, moves or vanishes. */
import {copyFileSync, cpSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(20 * 60_000);
const folder = temporaryDirectory('places');

/** What a program sees of a module: where it is from, how it was found, and where its code says it is from. */
const LOOK = `
import sys, importlib
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
    except Exception as error:
        print(name, type(error).__name__, error)
        continue
    code = next((f.__code__ for f in vars(module).values() if hasattr(f, '__code__') and f.__module__ == name), None)
    print(name, getattr(module, '__file__', None), type(module.__loader__).__name__, module.__spec__.cached,
          list(getattr(module, '__path__', [])), code and code.co_filename)
`;

async function look(python: string, names: readonly string[], path: readonly string[] = []): Promise<string> {
  const done = await run(python, ['-B', '-c', LOOK, ...names], {
    cwd: '/',
    environment: {...withoutUsersVariables(), PYTHONPATH: path.join(':')},
  });
  expect(done.stderr).toBe('');
  return done.stdout;
}

/** How many of these are frozen code in that interpreter. */
async function countStatic(
  python: string,
  names: readonly string[],
  path: readonly string[] = [],
): Promise<number> {
  const code = `import sys, importlib, _flashfreeze
print(sum(_flashfreeze.is_static(f.__code__) for name in sys.argv[1:] for m in [importlib.import_module(name)]
          for f in [next(f for f in vars(m).values() if hasattr(f, '__code__') and f.__module__ == name)]))`;
  const done = await run(python, ['-B', '-c', code, ...names], {
    cwd: '/',
    environment: {PYTHONPATH: path.join(':')},
  });
  expect(done.stderr).toBe('');
  return Number(done.stdout);
}

const all = findPythons();
const ends = [...new Set([all[0], all.at(-1)])].flatMap((found) => (found === undefined ? [] : [found]));
const NAMES = ['json', 'json.decoder', 'textwrap', 'logging', 'logging.handlers'];

describe.each(ends.map(({series, python}) => [series, realpathSync(python)] as const))(
  '%s',
  (series, python) => {
    const place = join(folder, series);
    const library = join('lib', `python${series}`);
    /** Two installations that differ in the executable. */
    const plain = join(place, 'plain');
    const frozen = join(place, 'frozen');
    const exe = (prefix: string) => join(prefix, 'bin', `python${series}`);
    const built = join(place, 'built');
    const app = join(place, 'app');

    beforeAll(async () => {
      const from = dirname(dirname(python));
      for (const prefix of [plain, frozen]) {
        cpSync(join(from, library), join(prefix, library), {
          recursive: true,
          verbatimSymlinks: true,
          preserveTimestamps: true,
          filter: (path) => !/\/(test|idlelib|site-packages|config-[^/]*|__pycache__|ensurepip)$/.test(path),
        });
        mkdirSync(join(prefix, 'bin'), {recursive: true});
      }
      copyFileSync(python, exe(plain));
      mkdirSync(join(app, 'package'), {recursive: true});
      for (const name of ['one', 'two', 'three'])
        writeFileSync(join(app, 'package', `${name}.py`), `def f():\n    return "${name}"\n`);
      writeFileSync(join(app, 'package', '__init__.py'), 'def f():\n    return __path__\n');
      const traces = ['-c "import json, logging.handlers, textwrap"', '-c "import package.one, package.two"'];
      const words = [
        'relink',
        '--python',
        python,
        '--out',
        built,
        ...traces.flatMap((each) => ['--trace', each]),
      ];
      // The second program finds its package as it will: on PYTHONPATH, which builds do not see; so by the working directory.
      const {summary, stderr} = await flashfreezeJson(words, {cwd: app});
      if (!summary.ok) throw new Error(stderr);
      copyFileSync(built, exe(frozen));
      copyFileSync(`${built}.stamps`, `${exe(frozen)}.stamps`);
    });

    /** What both see, with the prefix and the executable left out. */
    async function compare(names: readonly string[], path: readonly string[] = []): Promise<string> {
      const [one, two] = [await look(exe(plain), names, path), await look(exe(frozen), names, path)];
      expect(two.replaceAll(frozen, '<prefix>')).toBe(one.replaceAll(plain, '<prefix>'));
      return two;
    }

    test('an installation that is moved to another prefix than it was frozen from', async () => {
      expect(await compare(NAMES)).toContain(join(frozen, library, 'json/decoder.py'));
      expect(await countStatic(exe(frozen), ['json', 'json.decoder', 'textwrap'])).toBe(3);
      const moved = join(place, 'moved');
      renameSync(frozen, moved);
      const seen = await look(exe(moved), NAMES);
      renameSync(moved, frozen);
      expect(seen).not.toContain(frozen);
      expect(seen.replaceAll(moved, frozen)).toBe(await look(exe(frozen), NAMES));
    });

    test('a standard library in a zip file takes precedence, as usual', async () => {
      const zip = `lib/python${series.replace('.', '')}.zip`;
      const make = `import sys, zipfile, os
with zipfile.ZipFile(sys.argv[1], 'w') as out:
    for name in ('json', 'textwrap.py'):
        path = os.path.join(sys.argv[2], name)
        for file in ([os.path.join(path, each) for each in os.listdir(path)] if os.path.isdir(path) else [path]):
            if os.path.isfile(file):
                out.write(file, os.path.relpath(file, sys.argv[2]))`;
      for (const prefix of [plain, frozen]) {
        const done = await run(python, ['-B', '-c', make, join(prefix, zip), join(prefix, library)]);
        expect(done.exitCode).toBe(0);
      }
      const seen = await compare(NAMES);
      expect(seen).toMatch(/^json\.decoder \S+\.zip\/json\/decoder\.py zipimporter/m);
      expect(seen).toMatch(/^logging \S+ SourceFileLoader/m);
      for (const prefix of [plain, frozen]) rmSync(join(prefix, zip));
    });

    test('a package can be partly frozen and partly on disk', async () => {
      await compare(['package', 'package.one', 'package.two', 'package.three'], [app]);
      expect(
        await countStatic(exe(frozen), ['package', 'package.one', 'package.two', 'package.three'], [app]),
      ).toBe(3);
    });

    test('a package in another directory is loaded from there; a removed one is not found', async () => {
      const elsewhere = join(place, 'elsewhere');
      cpSync(app, elsewhere, {recursive: true});
      const seen = await compare(['package', 'package.one', 'package.three'], [elsewhere]);
      expect(seen).toContain(join(elsewhere, 'package/one.py'));
      rmSync(join(elsewhere, 'package', 'one.py'));
      await compare(['package.one', 'package.two'], [elsewhere]);
      await compare(['package', 'package.one'], []);
    });

    test('a frozen package whose files were removed is not found, if sources are checked', async () => {
      const away = join(place, basename(app) + '-away');
      renameSync(join(app, 'package'), away);
      const seen = await look(built, ['package', 'package.one'], [app]);
      renameSync(away, join(app, 'package'));
      expect(seen).toBe(
        "package ModuleNotFoundError No module named 'package'\n".repeat(1) +
          "package.one ModuleNotFoundError No module named 'package'\n",
      );
    });
  },
);
