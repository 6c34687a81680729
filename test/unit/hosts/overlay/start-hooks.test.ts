import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, symlinkSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {
  pthLine,
  pythonText,
  shellText,
  siteCustomize,
  START_FILE,
  startModule,
  wrapperScript,
} from '../../../../src/hosts/overlay/start-hooks.js';
import {findPythons} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {writeFiles} from '../../cpython/folders.js';
import {describeWith} from '../../../support/with.js';

const folder = temporaryDirectory();
const found = findPythons();
const newest = found[found.length - 1]?.python ?? '';

const TEXTS = [
  '/plain/path',
  "it's",
  'a "b" \\ c',
  'two\nlines',
  'caf\u00e9/\u20ac',
  '\u{1f40d}',
  '$HOME `x`',
  '',
];

test.each(TEXTS)('pythonText(%j) is that text, on one line', (text) => {
  const expression = pythonText(text);
  expect(expression).toMatch(/^[\x20-\x7e]*$/);
  const code = `import sys; sys.stdout.buffer.write((${expression}).encode())`;
  expect(execFileSync(newest, ['-c', code], {encoding: 'utf8'})).toBe(text);
});

test.each(TEXTS)('shellText(%j) is one word, that text', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellText(text)}`], {encoding: 'utf8'})).toBe(text);
});

/** Runs a Python with a directory of site-packages that has only this .pth file. */
function withPth(python: string, line: string, code: string) {
  const place = join(folder, 'pth');
  writeFiles(place, {'flashfreeze.pth': line});
  const program = `import site, sys; site.addsitedir(${JSON.stringify(place)})\n${code}`;
  return spawnSync(python, ['-I', '-B', '-c', program], {encoding: 'utf8'});
}

describe.each(found.map(({series, python}) => [series, python] as const))('Python %s', (series, python) => {
  const cacheTag = `cpython-${series.replace('.', '')}`;
  const REPORT = 'print("_flashfreeze" in sys.modules, sorted(set(vars(site)) & {"b", "e", "p"}))';

  test.each([
    ['that is gone', join(folder, 'none.so'), cacheTag],
    ['that is no library', join(folder, 'text.so'), cacheTag],
    ['whose path has \'quotes\', "more" and \\', join(folder, `it's "so" \\ caf\u00e9.so`), cacheTag],
    ['of another version', join(folder, 'text.so'), 'cpython-399'],
  ])('starts as usual with an overlay %s', (_name, extension, tag) => {
    writeFiles(folder, {'text.so': 'not a library'});
    const {stdout, stderr, status} = withPth(python, pthLine({extension, cacheTag: tag}), REPORT);
    expect({stdout, stderr, status}).toEqual({stdout: 'False []\n', stderr: '', status: 0});
  });

  test('a .pth file loads an extension module by its path, once, and leaves nothing else behind', () => {
    const extension = anyExtension(python);
    const line = pthLine({extension, cacheTag}).replaceAll('_flashfreeze', nameOf(extension));
    const code = `name = ${JSON.stringify(nameOf(extension))}
m = sys.modules[name]
site.addsitedir(${JSON.stringify(join(folder, 'pth'))})
print(m.__file__, m.__spec__.origin, type(m.__loader__).__name__, m is sys.modules[name])`;
    const {stdout, stderr} = withPth(python, line, code);
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe(`${extension} ${extension} ExtensionFileLoader True`);
  });

  test('a .start file names a function that loads it, too, and takes its module away', () => {
    const extension = anyExtension(python);
    const place = join(folder, `start-${series}`);
    const module = startModule({extension, cacheTag}).replaceAll('_flashfreeze', nameOf(extension));
    writeFiles(place, {'flashfreeze_start.py': module});
    const [name, called] = START_FILE.trim().split(':');
    const code = `import sys; sys.path.insert(0, ${JSON.stringify(place)}); from pkgutil import resolve_name
resolve_name("${name ?? ''}:${called ?? ''}")()
print(sys.modules[${JSON.stringify(nameOf(extension))}].__file__, "${name ?? ''}" in sys.modules)`;
    const {stdout, stderr} = spawnSync(python, ['-I', '-B', '-c', code], {encoding: 'utf8'});
    expect({stdout, stderr}).toEqual({stdout: `${extension} False\n`, stderr: ''});
  });

  describe('sitecustomize', () => {
    const place = join(folder, `site-${series}`);
    const state =
      'import sys, json; print(json.dumps([getattr(sys.modules.get("sitecustomize"), "__file__", None), sys.path, sorted(sys.path_importer_cache)]))';
    const run = (...path: string[]): unknown => {
      const environment = {...process.env, PYTHONPATH: path.join(':')};
      const done = spawnSync(python, ['-B', '-c', state], {encoding: 'utf8', env: environment, cwd: '/'});
      expect(done.stderr).toBe('');
      return JSON.parse(done.stdout);
    };
    const hooked = (): string =>
      writeFiles(join(place, 'hook'), {
        'sitecustomize.py': siteCustomize({extension: join(folder, 'none.so'), cacheTag}),
      });

    test('runs the next one, if there is one', () => {
      const next = writeFiles(join(place, 'next'), {'sitecustomize.py': 'SEEN = True\n'});
      expect(run(hooked(), next)).toEqual(run(next));
      expect(run(hooked())).toEqual(run());
      expect(run(next, hooked())).toEqual([
        join(next, 'sitecustomize.py'),
        expect.anything(),
        expect.anything(),
      ]);
    });

    // Tools that bring a sitecustomize hand over to the next one in ways of their own.
    const AGENTS = {
      imports:
        'del sys.path[0]; own = sys.modules.pop("sitecustomize")\ntry: import sitecustomize\nexcept ImportError: sys.modules["sitecustomize"] = own',
      executes:
        'from importlib import machinery, util\nspec = machinery.PathFinder.find_spec("sitecustomize", [p for p in sys.path if not __file__.startswith(p + "/")])\nif spec: spec.loader.exec_module(util.module_from_spec(spec))',
      reloads:
        'import importlib\ndef hand_over():\n    sys.path.remove(__file__.rpartition("/")[0])\n    try: importlib.reload(sys.modules["sitecustomize"])\n    except ImportError: print("none")\nhand_over()',
    };
    const agent = (name: keyof typeof AGENTS | 'user'): string =>
      writeFiles(join(place, name), {
        'sitecustomize.py': `import sys\nprint("${name}", file=sys.stderr)\n${name === 'user' ? '' : AGENTS[name]}\n`,
      });
    const seen = (...path: string[]): unknown => {
      const environment = {...process.env, PYTHONPATH: path.join(':')};
      const code = `${state}; print(sorted(vars(sys.modules.get("sitecustomize"))))`;
      const {stdout, stderr, status} = spawnSync(python, ['-B', '-c', code], {
        encoding: 'utf8',
        env: environment,
        cwd: '/',
      });
      // Behind the last one that hands over, nobody runs the hook, and its directory stays.
      return {stdout: stdout.replaceAll(`, "${hooked()}"`, ''), stderr, status};
    };

    test.each(['imports', 'executes', 'reloads'] as const)('behind a tool that %s the next one', (name) => {
      for (const others of [[], [agent('user')]]) {
        const without = seen(agent(name), ...others);
        for (let at = 0; at <= others.length + 1; at += 1) {
          const path = [agent(name), ...others];
          path.splice(at, 0, hooked());
          expect(seen(...path)).toEqual(without);
        }
      }
    });

    test('does not hide errors of the next one', () => {
      const broken = writeFiles(join(place, 'broken'), {'sitecustomize.py': '1 / 0\n'});
      const missing = writeFiles(join(place, 'missing'), {'sitecustomize.py': 'import not_there_at_all\n'});
      for (const bad of [broken, missing]) {
        const errors = [[bad], [hooked(), bad]].map((path) => {
          const environment = {...process.env, PYTHONPATH: path.join(':')};
          const done = spawnSync(python, ['-B', '-c', state], {encoding: 'utf8', env: environment, cwd: '/'});
          return [done.status, done.stderr];
        });
        expect(errors[1]).toEqual(errors[0]);
        expect(errors[0]?.[1]).not.toBe('');
      }
    });
  });
});

const OTHERS = ['2.7', '3.6', '3.7', '3.8', '3.9'].flatMap((series) => {
  const root = join(homedir(), '.pyenv', 'versions');
  const name = existsSync(root) ? readdirSync(root).find((each) => each.startsWith(`${series}.`)) : undefined;
  return name === undefined ? [] : [[series, join(root, name, 'bin', `python${series}`)] as const];
});

describeWith(OTHERS[0], 'Python 2.7, 3.6 to 3.9 from pyenv')('a child of another Python', () => {
  test.each(OTHERS)('%s is left alone, silently', (_series, python) => {
    const hook = writeFiles(join(folder, 'inherited'), {
      'sitecustomize.py': siteCustomize({extension: join(folder, 'none.so'), cacheTag: 'cpython-313'}),
    });
    const next = writeFiles(join(folder, 'inherited-next'), {'sitecustomize.py': 'print("next")\n'});
    const code = 'import sys; print(sys.modules.get("sitecustomize") is not None, sys.path)';
    const run = (...path: string[]): unknown => {
      // Python 2 takes an empty one for the working directory.
      const environment = {...process.env, PYTHONPATH: path.length > 0 ? path.join(':') : undefined};
      const {stdout, stderr, status} = spawnSync(python, ['-B', '-c', code], {
        encoding: 'utf8',
        env: environment,
        cwd: '/',
      });
      return {stdout, stderr, status};
    };
    expect(run(hook)).toEqual(run());
    expect(run(hook, next)).toEqual(run(next));
    expect(run(next, hook)).toMatchObject({stderr: '', status: 0});
  });
});

test('the wrapper passes everything through, and keeps what PYTHONPATH held', () => {
  const strange = join(folder, 'it\'s a "folder"');
  mkdirSync(strange);
  symlinkSync('/bin/sh', join(strange, 'program'));
  writeFiles(folder, {wrapper: wrapperScript(join(strange, 'program'), join(strange, 'site'))});
  const run = (path: string | undefined) => {
    // An undefined variable is not passed on.
    const environment = {...process.env, PYTHONPATH: path};
    const script = 'printf "%s|" "$PYTHONPATH" "$@"; exit 7';
    return spawnSync(join(folder, 'wrapper'), ['-c', script, 'sh', 'a b', '', '*'], {
      encoding: 'utf8',
      env: environment,
    });
  };
  expect(run('/mine:/too')).toMatchObject({status: 7, stdout: `${strange}/site:/mine:/too|a b||*|`});
  expect(run(undefined)).toMatchObject({status: 7, stdout: `${strange}/site|a b||*|`});
});

/** A small extension module of the standard library that no start loads. */
function anyExtension(python: string): string {
  const code = 'import importlib.util as u; print(u.find_spec("_queue").origin)';
  return execFileSync(python, ['-I', '-c', code], {encoding: 'utf8'}).trim();
}

function nameOf(extension: string): string {
  return /([^/]*?)\.[^/]*$/.exec(extension)?.[1] ?? '';
}
