import {execFileSync} from 'node:child_process';
import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {
  startupModules,
  traceImports,
  type Trace,
} from '../../../../../src/cpython/interpreter/modules/program-trace.js';
import {findPythons} from '../../../../../support/pythons.js';
import {temporaryDirectory} from '../../../../support/temporary-directory.js';

const folder = temporaryDirectory('test');
const write = (name: string, content: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), {recursive: true});
  writeFileSync(path, content);
  return path;
};
write('deleted.py', 'x = 1\n');
write('replaced.py', 'import sys\nsys.modules[__name__] = object()\n');
write('at_exit.py', 'y = 1\n');
write('failing.py', 'import broken_helper\nraise ImportError("no")\n');
write('broken_helper.py', '');
write('space/inner.py', '');
write('package/__init__.py', '');
write('package/__main__.py', 'import package.part\n');
write('package/part.py', '');
write('application/__main__.py', 'import beside, sys\nassert sys.path[0] == sys.argv[0], sys.path\n');
write('application/beside.py', '');

/** Prints what a program can see of itself. */
const SELF = [
  'import sys',
  'shown = {k: repr(v) for k, v in sorted(globals().items()) if k not in ("sys", "__builtins__", "__loader__")}',
  'print(shown, type(__loader__), sys.argv, sys.path, sorted(sys.flags), sys._getframe(0).f_code.co_filename)',
  'sys.stdout.flush()',
  'sys.stderr.write(repr([shown, str(type(__loader__)), sys.argv, sys.path]))',
  'sys.exit(7)',
].join('\n');

describe.each(findPythons().map((found) => [found.series, found] as const))('Python %s', (series, found) => {
  const trace = async (argv: readonly string[], cwd = folder): Promise<Trace> => {
    const result = await traceImports({...found, argv, cwd});
    if (!result.ok) throw new Error(JSON.stringify(result.failure));
    return result.value;
  };
  const names = (of: Trace): string[] => of.modules.map(({name}) => name);
  /** What follows the startup modules. */
  const imported = async (argv: readonly string[], cwd = folder): Promise<string[]> => {
    const before = new Set(names(await trace(['-c', 'pass'])));
    return names(await trace(argv, cwd)).filter((name) => !before.has(name));
  };
  test('startup: what the interpreter itself has loaded, in order, nothing more', async () => {
    const startup = await startupModules(found);
    const code =
      'import sys; print("\\n".join(n for n, m in sys.modules.items() if getattr(getattr(m, "__spec__", None), "name", None) == n))';
    const expected = execFileSync(found.python, ['-B', '-c', code], {
      env: found.environment,
      encoding: 'utf8',
    });
    expect(startup.ok && startup.value.map(({name}) => name)).toEqual(expected.trim().split('\n'));
    const records = new Map((startup.ok ? startup.value : []).map((record) => [record.name, record]));
    expect(records.get('sys')).toMatchObject({kind: 'builtin', origin: null, loader: 'BuiltinImporter'});
    expect(records.get('encodings')).toMatchObject({
      isPackage: true,
      kind: 'source',
      loader: 'SourceFileLoader',
    });
    expect(records.get('os')).toMatchObject({kind: series === '3.10' ? 'source' : 'frozen'});
    expect(records.get('os')?.origin).toMatch(/os\.py$/);
  });

  test('the regular expressions that are compiled, each once; none with errors', async () => {
    const code = [
      'import re, sre_compile',
      're.compile(r"(?P<a>b)\\u20ac", re.I | re.X)',
      're.compile(r"(?P<a>b)\\u20ac", re.I | re.X)',
      're.match(b"\\xff+", b"")',
      'try: re.compile("(wrong")',
      'except re.error: pass',
      'sre_compile.compile(sre_compile.sre_parse.parse("parsed")) if hasattr(sre_compile, "sre_parse") else None',
    ].join('\n');
    const {compiled} = await trace(['-W', 'ignore', '-c', code]);
    const expressions = (compiled['expressions'] ?? []) as readonly {text: string}[];
    const own = expressions.filter(({text}) => /\(\?P<a>|\xff|wrong|parsed/.test(text));
    expect(own).toEqual([
      {bytes: false, text: '(?P<a>b)\\u20ac', flags: 66},
      {bytes: true, text: '\xff+', flags: 0},
    ]);
  });

  test('the source text that is compiled while it runs, each once, with what holds for it; no files, and not the program', async () => {
    const code = [
      'from __future__ import annotations',
      'import this, collections',
      'collections.namedtuple("T", "x")',
      'eval(" 1 + 1")',
      'exec("y = \\u20ac".replace("\\u20ac", "1"), {})',
      'exec("y = 1", {})',
      'exec(b"z = 1")',
      'compile("q", "<made>", "eval")',
      'compile("q", "made.py", "eval")',
      'try: eval("1 +")',
      'except SyntaxError: pass',
    ].join('\n');
    const {compiled} = await trace(['-c', code]);
    const snippets = (compiled['snippets'] ?? []) as readonly {text: string; filename: string}[];
    expect(snippets.every(({text}) => !text.includes('__future__'))).toBe(true);
    expect(snippets.filter(({filename}) => filename.endsWith('.py'))).toEqual([]);
    const flags = 0x1000000;
    expect(snippets.filter(({text}) => !text.includes('lambda'))).toEqual([
      {text: '1 + 1', filename: '<string>', flags},
      {text: 'y = 1', filename: '<string>', flags},
      {text: 'z = 1', filename: '<string>', flags},
      {text: 'q', filename: '<made>', flags},
      {text: '1 +', filename: '<string>', flags},
    ]);
    expect(snippets).toContainEqual({
      text: expect.stringMatching(/^lambda _cls, x/),
      filename: '<string>',
      flags: 0,
    });
  });

  test('-c: imports in order, by name and by importlib', async () => {
    const code = 'import json.decoder\nimport importlib\nimportlib.import_module("this")';
    const found = await imported(['-c', code]);
    expect(found.indexOf('json.scanner')).toBeGreaterThanOrEqual(0);
    expect(found.indexOf('json.scanner')).toBeLessThan(found.indexOf('json.decoder'));
    expect(found.indexOf('json.decoder')).toBeLessThan(found.indexOf('this'));
    expect(new Set(found).size).toBe(found.length);
    expect(found).not.toContain('runpy');
  });

  test('modules that are deleted, replaced, imported at exit, or without a file', async () => {
    const code = [
      'import atexit, sys, deleted, replaced, space.inner',
      'atexit.register(lambda: __import__("at_exit"))',
      'del sys.modules["deleted"]',
      'try: import failing',
      'except ImportError: pass',
    ].join('\n');
    const {modules} = await trace(['-c', code]);
    const records = new Map(modules.map((record) => [record.name, record]));
    for (const name of ['deleted', 'replaced', 'space.inner', 'at_exit', 'broken_helper']) {
      expect(records.get(name)).toMatchObject({kind: 'source', origin: expect.stringMatching(/\.py$/)});
    }
    expect(records.get('space')).toMatchObject({kind: 'other', isPackage: true, origin: null});
    expect(records.has('failing')).toBe(false);
    expect(records.get('atexit')).toMatchObject({kind: 'builtin'});
  });

  test('a lazy loader is resolved, and a missing file is not a source', async () => {
    const program = write(
      'lazy.py',
      [
        'import importlib.machinery, importlib.util, sys',
        'class Eager(importlib.util.LazyLoader):',
        '    def exec_module(self, module):',
        '        self.loader.exec_module(module)',
        'class Finder:',
        '    @staticmethod',
        '    def find_spec(name, path=None, target=None):',
        '        spec = importlib.machinery.PathFinder.find_spec(name, path, target)',
        '        if spec is not None and name == "at_exit":',
        '            spec.loader = Eager(spec.loader)',
        '        return spec',
        'sys.meta_path.insert(0, Finder)',
        'import at_exit',
        'spec = importlib.util.spec_from_file_location("made_up", "/there/is/no/made_up.py")',
        'sys.modules["made_up"] = importlib.util.module_from_spec(spec)',
      ].join('\n'),
    );
    const records = new Map((await trace([program])).modules.map((each) => [each.name, each]));
    expect(records.get('at_exit')).toMatchObject({kind: 'source', loader: 'SourceFileLoader'});
    expect(records.get('made_up')).toMatchObject({kind: 'other', loader: 'SourceFileLoader'});
  });

  test('without site, the tracer imports nothing itself', async () => {
    const real = execFileSync(found.python, ['-IS', '-c', 'import sys; print(" ".join(sys.modules))'], {
      encoding: 'utf8',
    });
    const {modules, stderr} = await trace([
      '-IS',
      '-c',
      'import sys; sys.stderr.write(" ".join(sys.modules))',
    ]);
    expect(stderr).toBe(real.trim());
    expect(modules.map(({name}) => name)).not.toContain('atexit');
  });

  test('-m runs a module, the way runpy does', async () => {
    const input = write('input.json', '{"a": 1}');
    const {exitCode, ...run} = await trace(['-m', 'json.tool', input]);
    expect(exitCode).toBe(0);
    expect(names(run as Trace)).toEqual(expect.arrayContaining(['runpy', 'json', 'argparse', 'json.tool']));
    expect(await imported(['-m', 'package'])).toEqual(
      expect.arrayContaining(['package', 'package.part', 'package.__main__']),
    );
  });

  test('a directory with a __main__', async () => {
    const run = await trace(['application']);
    expect(run.exitCode).toBe(0);
    expect(names(run)).toContain('beside');
  });

  test.each([['-c'], ['-m'], ['script'], ['linked script'], ['-P or -I script']])(
    'a program run by %s sees the same `__main__` as without the tracer',
    async (how) => {
      const script = write('tools/self.py', `"""doc"""\n${SELF}`);
      write('selfmodule.py', SELF);
      const link = join(folder, 'linked');
      if (how === 'linked script') symlinkSync(script, `${link}-${series}`);
      const argv = {
        '-c': ['-c', SELF, 'a', '-b'],
        '-m': ['-Xdev', '-m', 'selfmodule', 'a'],
        script: ['-O', 'tools/self.py', '-c', 'x'],
        'linked script': [`${link}-${series}`],
        '-P or -I script': ['-I', script],
      }[how];
      const real = (() => {
        try {
          execFileSync(found.python, ['-B', ...(argv ?? [])], {
            cwd: folder,
            env: found.environment,
            stdio: 'pipe',
          });
        } catch (error) {
          return (error as {stderr: Buffer}).stderr.toString();
        }
        return '';
      })();
      const run = await trace(argv ?? []);
      expect(run.exitCode).toBe(7);
      const address = / at 0x[0-9a-f]+/g;
      expect(run.stderr.replace(address, '')).toBe(real.replace(address, ''));
    },
  );

  test('programs that end by exceptions, os._exit, or as another program', async () => {
    expect((await trace(['-c', 'import deleted; 1/0'])).exitCode).toBe(1);
    const quit = await trace(['-c', 'import deleted, os; os._exit(5)']);
    expect(quit.exitCode).toBe(5);
    expect(names(quit)).toContain('deleted');
    const other = await trace(['-c', 'import deleted, os, sys; os.execv("/bin/sh", ["sh", "-c", "exit 4"])']);
    expect(other.exitCode).toBe(4);
    expect(names(other)).toContain('deleted');
    const forking = 'import os, deleted\nif os.fork() == 0: os._exit(0)\nos.wait()\nimport at_exit';
    expect(names(await trace(['-c', forking]))).toContain('at_exit');
  });

  test('fails for a program that hangs, is killed, or is not there', async () => {
    const hang = await traceImports({...found, argv: ['-c', 'while 1: pass'], cwd: folder, timeoutMs: 300});
    expect(hang).toMatchObject({ok: false, failure: {code: 'DISCOVER'}});
    const killed = await traceImports({
      ...found,
      argv: ['-c', 'import os; os.kill(os.getpid(), 9)'],
      cwd: folder,
    });
    expect(killed).toMatchObject({ok: false, failure: {code: 'DISCOVER'}});
    const absent = await traceImports({...found, argv: ['no/such.py'], cwd: folder});
    expect(absent).toMatchObject({
      ok: false,
      failure: {code: 'DISCOVER', message: expect.stringContaining('no/such.py')},
    });
  });
});
