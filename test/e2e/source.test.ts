/** The two-stage build on real CPythons, through the command line. */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, realpathSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {type Tree, prepareTree} from '../../support/cpython-trees.js';
import {type Run, flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

/** Makes edits of this run new to the cache. */
const nonce = Date.now();
const HALF_AN_HOUR = 30 * 60_000;
const TRACES = [
  '-c "import asyncio, argparse, json, re, dataclasses, pathlib, subprocess, logging"',
  '-c "import typing, unittest, http.client, email"',
];
const folder = temporaryDirectory('e2e');

/** Every constant that a compiler emits, under a module of its own beside a script. */
const TRICKY = String.raw`
"doc */ ??/ \" string"
WORDS = ('name_like', 'caf\xe9', '\u20ac uro', '\U0001f40d', '\ud800', '\ud83d\udc0d', 'a\0b', '', 'q', '\xe9')
NUMBERS = (0, 256, 257, 1 << 200, -(1 << 75), 1.0, True, 0.0, -0.0, 1e-10, 5e-324, 1e400, -1e400, 1e400 - 1e400, 1j, -0.0j)
BYTES = (b'', b'x', b'\xff\x00"')
def contains(x):
    return x in {'alpha', 'beta', b'bytes', 1, 2.5, ('t', ('u',)), None, ...}
def nested(a, /, b, *args, c=None, **kw):
    class Inner:
        def method(self): return __class__, [a + i for i in args], {k: v for k, v in kw.items()}
    return lambda: (a, b, c, Inner)
async def agen():
    async with nested(1, 2) as x:
        yield (await x)
`;

/** Names, sizes and times of everything in a tree. */
function listing(root: string): string[] {
  return readdirSync(root, {recursive: true, withFileTypes: true})
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => {
      const {size, mtimeMs, mode} = statSync(path);
      return `${path} ${mode} ${size} ${mtimeMs}`;
    })
    .sort();
}

describe.each(['3.13.15', '3.11.2'])('CPython %s', (version) => {
  let tree: Tree;
  let before: string[];
  let firstDigest: string | null;
  const out = join(folder, `python-${version}`);
  const script = join(folder, `app-${version}`, 'main.py');
  const build = (...more: string[]) =>
    flashfreezeJson([
      ...['build', '--source', tree.source, '--build-dir', tree.buildDir, '--out', out, '--startup'],
      ...[...TRACES, script].flatMap((trace) => ['--trace', trace]),
      ...more,
    ]);
  const python = (
    code: string,
    options: readonly string[] = [],
    environment: Record<string, string> = {},
  ): Promise<Run> =>
    run(out, [...options, '-c', code], {environment: {PYTHONDONTWRITEBYTECODE: '1', ...environment}});
  const answer = async (
    code: string,
    options: readonly string[] = [],
    environment: Record<string, string> = {},
  ) => {
    const done = await python(code, options, environment);
    if (done.exitCode !== 0) throw new Error(done.stderr);
    return JSON.parse(done.stdout) as unknown;
  };

  beforeAll(async () => {
    mkdirSync(join(folder, `app-${version}`));
    writeFileSync(join(folder, `app-${version}`, 'tricky.py'), TRICKY);
    writeFileSync(script, 'import tricky\nprint(tricky.contains("alpha"))\n');
    tree = await prepareTree(version);
    before = listing(tree.source);
  }, HALF_AN_HOUR);
  afterAll(() => {
    tree.restore();
  });

  test(
    'builds, in a build directory of its own',
    async () => {
      const done = await build();
      expect(done.stderr).toEqual(expect.not.stringContaining('error['));
      expect(done.exitCode).toBe(0);
      expect(done.summary).toMatchObject({
        type: 'summary',
        ok: true,
        command: 'build',
        python: version,
        output: out,
      });
      expect(done.summary.modules).toBeGreaterThan(120);
      expect(done.summary.sha256).toMatch(/^[0-9a-f]{64}$/);
      firstDigest = done.summary.sha256;
      expect(listing(tree.source)).toEqual(before);
    },
    HALF_AN_HOUR,
  );

  test('a build without changes does nothing', async () => {
    const done = await build();
    expect(done.summary).toMatchObject({
      ok: true,
      executed: [],
      actions: {executed: 0, cached: 0, failed: 0},
    });
  });

  test('every image equals a fresh compile', async () => {
    const done = await flashfreezeJson(['verify', '--images', out, '--source', tree.source]);
    expect(done.summary).toMatchObject({ok: true});
    expect(done.exitCode).toBe(0);
  }, 120_000);

  test('static code is in use, and is_static() reports it', async () => {
    const code = `if 1:
      import json, _flashfreeze as f
      modules = {m.name: m for m in f.modules()}
      import asyncio, json.decoder, encodings, os, site
      static = [f.is_static(x.__code__) for x in (json.loads, asyncio.run, encodings.normalize_encoding, os.walk, site.main)]
      print(json.dumps([f.info()['active'], static, modules['json.decoder'].origin == json.decoder.__file__,
                        modules['os'].origin, len(modules['json'].digest), f.is_static(compile('1', '', 'eval'))]))`;
    expect(await answer(code)).toEqual([true, [true, true, true, true, true], true, 'frozen', 64, false]);
  });

  test('modules look as they do in stage 1', async () => {
    const code = `if 1:
      import json, sys, importlib, inspect
      names = 'encodings encodings.utf_8 json json.decoder asyncio asyncio.events email.message os posixpath codecs site io'.split()
      found = {}
      for name in names:
          m = importlib.import_module(name); s = m.__spec__
          found[name] = [getattr(m, a, None) and str(getattr(m, a)) for a in ('__file__', '__cached__', '__path__', '__package__', '__doc__')]
          found[name] += [s.name, s.origin, s.has_location, s.cached, s.parent, str(s.submodule_search_locations), type(s.loader).__name__]
          found[name] += [str(type(m.__loader__)), list(vars(m))[:12]]
          code = next(v.__code__ for v in vars(m).values() if inspect.isfunction(v) and v.__module__ == m.__name__) if any(
              inspect.isfunction(v) and v.__module__ == m.__name__ for v in vars(m).values()) else None
          found[name] += [code and code.co_filename, m.__loader__.get_source(name) if hasattr(m, '__file__') else None]
      print(json.dumps(found))`;
    const stage1 = await run(join(tree.buildDir, 'cpython', 'python'), ['-c', code], {
      environment: {PYTHONDONTWRITEBYTECODE: '1'},
    });
    expect(await answer(code)).toEqual(JSON.parse(stage1.stdout));
  });

  test('cases that the fast paths do not handle go to the original methods', async () => {
    const code = String.raw`if 1:
      import sys, importlib.machinery as m, json, importlib, _imp
      lib = sys._stdlib_dir; found = []
      class Loader(m.SourceFileLoader): pass
      class Finder(m.FileFinder):
          def _get_spec(self, *args): found.append('own'); return super()._get_spec(*args)
      usual = (m.SourceFileLoader, ['.py'])
      found.append(type(m.FileFinder(lib, (Loader, ['.py']), usual).find_spec('json').loader).__name__)
      found.append(type(m.FileFinder(lib, (m.SourcelessFileLoader, ['.py']), usual).find_spec('json').loader).__name__)
      found.append(Finder(lib, usual).find_spec('json').origin == json.__file__)
      finder = sys.path_importer_cache[lib]
      found.append(json.__loader__.get_code(fullname='json').co_name)
      found.append(sum(finder.find_spec('json\0%d' % i) is not None for i in range(2000)))
      for args, named in ((('json', None, 3), {}), (('json',), {'foo': 3}), ((), {}), (('json',), {'target': None})):
          try: found.append(finder.find_spec(*args, **named) is not None)
          except TypeError as error: found.append(str(error))
      _imp._fix_co_filename(json.__loader__.get_code('json'), '/moved.py')
      importlib.reload(json)
      found.append(json.loads.__code__.co_filename == json.__file__)
      sys.implementation.cache_tag = None
      import textwrap
      found.append(getattr(textwrap, '__cached__', None))
      print(json.dumps(found))`;
    const stage1 = await run(join(tree.buildDir, 'cpython', 'python'), ['-c', code], {
      environment: {PYTHONDONTWRITEBYTECODE: '1'},
    });
    expect(await answer(code)).toEqual(JSON.parse(stage1.stdout));
  });

  test('tracebacks show source lines', async () => {
    const done = await python('import json; json.loads("{")');
    expect(done.stderr).toContain(`File "${realpathSync(tree.source)}/Lib/json/decoder.py", line `);
    expect(done.stderr).toMatch(/obj, end = self\.raw_decode|obj, end = self\.scan_once/);
  });

  test.each<[string, string[], Record<string, string>, string]>([
    ['FLASHFREEZE=off', [], {FLASHFREEZE: 'off'}, 'switched off'],
    ['-X flashfreeze=off', ['-X', 'flashfreeze=off'], {}, 'switched off'],
    ['the last -X flashfreeze', ['-X', 'flashfreeze=on', '-X', 'flashfreeze=off'], {}, 'switched off'],
    ['-O', ['-O'], {}, '-O asks for other code'],
    ['-X no_debug_ranges', ['-X', 'no_debug_ranges'], {}, '-X no_debug_ranges asks for other code'],
  ])('%s loads everything the ordinary way', async (_, options, environment, reason) => {
    const code = `if 1:
      import json, os, _flashfreeze as f
      print(json.dumps([f.info()['inactive_because'], f.is_static(json.loads.__code__), f.is_static(os.walk.__code__),
                        len(f.modules()) == f.info()['modules']]))`;
    expect(await answer(code, options, environment)).toEqual([reason, false, false, true]);
  });

  test('-E and -I ignore FLASHFREEZE', async () => {
    for (const option of ['-E', '-I']) {
      const code = 'import json, _flashfreeze as f; print(json.dumps(f.info()["active"]))';
      expect(await answer(code, [option], {FLASHFREEZE: 'off'})).toBe(true);
    }
  });

  test('subinterpreters load modules the ordinary way', async () => {
    const name = version.startsWith('3.13') ? '_interpreters' : '_xxsubinterpreters';
    const code = `if 1:
      import ${name} as interpreters, os
      r, w = os.pipe()
      import json, _flashfreeze as f
      i = interpreters.create()
      text = '''if 1:
        import json, asyncio, os, _flashfreeze as f
        os.write(%d, json.dumps([f.info()['inactive_because'], f.is_static(json.loads.__code__)]).encode())''' % w
      (interpreters.exec if hasattr(interpreters, 'exec') else interpreters.run_string)(i, text)
      interpreters.destroy(i)
      os.close(w)
      print(os.read(r, 1000).decode())`;
    expect(await answer(code)).toEqual(['not the main interpreter', false]);
  });

  test('a module of the same name earlier on sys.path takes precedence', async () => {
    const place = join(folder, `shadow-${version}`);
    mkdirSync(place);
    writeFileSync(join(place, 'json.py'), 'loads = "mine"\n');
    const code = 'import json; print("[%r]" % json.loads)';
    expect((await python(code, [], {PYTHONPATH: place})).stdout.trim()).toBe("['mine']");
  });

  describe('edits', () => {
    afterAll(() => {
      tree.restore();
    });

    test('one module: its three actions and the link', async () => {
      tree.edit('Lib/json/decoder.py', (text) => `${text}\nEDITED = 42, ${nonce}\n`);
      const done = await build();
      const ids = ['compile:json.decoder', 'generate:json.decoder', 'link:python'];
      expect(done.summary).toMatchObject({ok: true, executed: ids});
      expect(await answer('import json.decoder; print(json.decoder.EDITED[0])')).toBe(42);
    }, 60_000);

    test('a comment: the compile, and nothing after it', async () => {
      tree.edit('Lib/json/scanner.py', (text) =>
        text.replace(/^import re$/m, `import re  # a comment of run ${nonce}`),
      );
      expect((await build()).summary).toMatchObject({ok: true, executed: ['compile:json.scanner']});
    }, 60_000);

    test('a module that CPython freezes itself', async () => {
      tree.edit('Lib/os.py', (text) => `${text}\nEDITED = 43, ${nonce}\n`);
      const done = await build();
      expect(done.summary.executed).toEqual(['compile:os', 'generate:os', 'link:python']);
      const code =
        'import os, _flashfreeze as f; print("[%d, %d]" % (os.EDITED[0], f.is_static(os.walk.__code__)))';
      expect(await answer(code)).toEqual([43, 1]);
      expect(await answer(code, [], {FLASHFREEZE: 'off'})).toEqual([43, 0]);
    }, 60_000);

    test('a new import is discovered', async () => {
      tree.edit('Lib/json/decoder.py', (text) => `import colorsys\n${text}`);
      const done = await build();
      expect(done.summary.executed).toEqual(
        expect.arrayContaining(['discover:modules', 'index:python', 'link:python']),
      );
      const code =
        'import json, _flashfreeze as f, colorsys; print(json.dumps(f.is_static(colorsys.rgb_to_hsv.__code__)))';
      expect(await answer(code)).toBe(true);
      expect((await build()).summary.executed).toEqual([]);
    }, 60_000);

    test('a syntax error in a module of a trace: a warning, and that module is not frozen', async () => {
      tree.edit('Lib/json/decoder.py', (text) => `${text}\ndef broken(:\n`);
      tree.edit('Lib/textwrap.py', (text) => `${text}\nEDITED = 44, ${nonce}\n`);
      const done = await build();
      expect(done.exitCode).toBe(0);
      expect(done.stderr).toMatch(
        /warning: 1 module does not compile.*: json\.decoder \(.*Lib\/json\/decoder\.py:\d+\): SyntaxError/,
      );
      // No program runs again: it would fail, and what it imports after that would be forgotten.
      expect(done.summary.executed).not.toContain('discover:modules');
      const code =
        'import textwrap, _flashfreeze as f; print(f.is_static(textwrap.dedent.__code__) * textwrap.EDITED[0])';
      expect(await answer(code)).toBe(44);
      const tried = await python('import json.decoder', [], {FLASHFREEZE: 'on'});
      expect(tried.exitCode).toBe(1);
      expect(tried.stderr).toMatch(/Lib\/json\/decoder\.py", line \d+\n +def broken\(:\n[^]*SyntaxError/);
      expect((await build()).summary.executed).toEqual([]);
    }, 60_000);

    test('a syntax error in a module that CPython needs: an error with file, line and caret, and the old interpreter stays', async () => {
      const good = await answer('import textwrap; print(textwrap.EDITED[0])');
      tree.edit('Lib/os.py', (text) => `${text}\ndef broken(:\n`);
      tree.edit('Lib/textwrap.py', (text) => `${text}\nEDITED = 45, ${nonce}\n`);
      const done = await build();
      expect(done.exitCode).toBe(1);
      expect(done.stderr).toContain('error[COMPILE]');
      expect(done.stderr).toMatch(/File ".*Lib\/os\.py", line \d+\n\s+def broken\(:\n\s+\^/);
      expect(done.summary).toMatchObject({ok: false, actions: {failed: 1}});
      expect(existsSync(join(tree.buildDir, 'images', 'os.o'))).toBe(true);
      expect(await answer('import textwrap; print(textwrap.EDITED[0])', [], {FLASHFREEZE: 'on'})).toBe(good);
    }, 60_000);

    test(
      'taken back: from the cache, and the same bytes as before',
      async () => {
        tree.restore();
        // Results that were not used for long may have been removed from the store, which all tests share.
        expect((await build()).summary).toMatchObject({ok: true, sha256: firstDigest});
        tree.edit('Lib/os.py', (text) => `${text}\nEDITED = 45, ${nonce}\n`);
        expect((await build()).summary.executed).toContain('generate:os');
        tree.restore();
        const done = await build();
        expect(done.summary.ok).toBe(true);
        expect(done.summary.executed.filter((id) => id.startsWith('generate:'))).toEqual([]);
        expect(done.summary.sha256).toBe(firstDigest);
      },
      HALF_AN_HOUR,
    );
  });

  test('a differing image is detected and named', async () => {
    tree.edit('Lib/json/scanner.py', (text) => text.replace('def py_make_scanner', 'def py_make_another'));
    const done = await flashfreezeJson(['verify', '--images', out, '--source', tree.source]);
    expect(done.exitCode).toBe(3);
    expect(done.stdout).toMatch(/"module":"json\.scanner"/);
    tree.restore();
  }, 120_000);

  test('the new interpreter starts without any directory of the cache', () => {
    expect(execFileSync(realpathSync(out), ['-c', 'print(1)'], {encoding: 'utf8'})).toBe('1\n');
  });
});
