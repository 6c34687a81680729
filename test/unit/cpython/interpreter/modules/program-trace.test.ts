import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {traceImports, type Trace} from '../../../../../src/cpython/interpreter/modules/program-trace.js';
import {findPythons} from '../../../../../support/pythons.js';
import {holdTime} from '../../../../support/fake-time.js';
import {eventually} from '../../../../support/processes.js';
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
write('deep/__init__.py', '');
for (let i = 0; i < 300; i++) write(`chain/m${i}.py`, i === 299 ? '' : `import m${i + 1}`);

const exit = (code: number): Trace['ending'] => ({kind: 'exit', code});

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
  let startup: ReadonlySet<string>;
  beforeAll(async () => {
    startup = new Set(names(await trace(['-c', 'pass'])));
  });
  /** What follows the startup modules. */
  const imported = async (argv: readonly string[]): Promise<string[]> =>
    names(await trace(argv)).filter((name) => !startup.has(name));

  test('startup: what the interpreter itself has loaded, in order, nothing more', async () => {
    const {modules} = await trace(['-c', 'pass'], '/');
    const code =
      'import sys; print("\\n".join(n for n, m in sys.modules.items() if getattr(getattr(m, "__spec__", None), "name", None) == n))';
    const expected = execFileSync(found.python, ['-B', '-c', code], {
      env: found.environment,
      encoding: 'utf8',
    });
    expect(modules.map(({name}) => name)).toEqual(expected.trim().split('\n'));
    const records = new Map(modules.map((record) => [record.name, record]));
    expect(records.get('sys')).toMatchObject({kind: 'builtin', origin: null, loader: 'BuiltinImporter'});
    expect(records.get('encodings')).toMatchObject({
      isPackage: true,
      kind: 'source',
      loader: 'SourceFileLoader',
    });
    expect(records.get('os')).toMatchObject({kind: series === '3.10' ? 'source' : 'frozen'});
    expect(records.get('os')?.origin).toMatch(/os\.py$/);
  });

  test('modules that were found and whose import failed, last, and none that was only read', async () => {
    write('wrong/syntax.py', 'x = (\n');
    write('wrong/nul.py', 'x = 1\n\0\n');
    write('wrong/encoding.py', '# coding: nobody-knows\n');
    write('wrong/raising.py', 'import json.scanner, not_there\n');
    write('wrong/templated/__init__.py', 'class {{ name }}: pass\n');
    write('wrong/only_read.py', 'x = 1\n');
    const wrong = ['syntax', 'nul', 'encoding', 'templated', 'raising'];
    const code = [
      'import sys, linecache, pkgutil, importlib.util; sys.path.append("wrong")',
      `for name in ${JSON.stringify([...wrong, 'not_there'])}:`,
      '    try: __import__(name)',
      '    except Exception: pass',
      'linecache.getlines("wrong/only_read.py")',
      'importlib.util.find_spec("only_read").loader.get_source("only_read")',
    ].join('\n');
    const before = new Set(names(await trace(['-c', code.replace('__import__', 'len')])));
    const {modules} = await trace(['-c', code]);
    const own = modules.filter(({name}) => !before.has(name) && !/^_?json/.test(name));
    expect(own.map(({name}) => name)).toEqual(wrong);
    const order = modules.map(({name}) => name);
    expect(order.indexOf('json.scanner')).toBeLessThan(order.indexOf('syntax'));
    expect(own).toMatchObject(
      wrong.map((name) => ({
        isPackage: name === 'templated',
        kind: 'source',
        origin: join(folder, 'wrong', name === 'templated' ? 'templated/__init__.py' : `${name}.py`),
      })),
    );
    // The module that -m runs is read by its loader, too.
    write('wrong/main_module.py', 'x = (\n');
    expect((await trace(['-m', 'main_module'], join(folder, 'wrong'))).modules.at(-1)).toMatchObject({
      name: 'main_module',
      kind: 'source',
    });
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

  test('-c: imports in the order in which they begin, by name and by importlib', async () => {
    const code = 'import json.decoder\nimport importlib\nimportlib.import_module("this")';
    const found = await imported(['-c', code]);
    const places = ['json.decoder', 'json.scanner', 'this'].map((name) => found.indexOf(name));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(new Set(found).size).toBe(found.length);
    expect(found).not.toContain('runpy');
  });

  test('an extension module begins after the module that imports it', async () => {
    write('imports_extension.py', 'import _queue, broken_helper\n');
    const found = await imported([
      '-c',
      `import sys; sys.path.insert(0, ${JSON.stringify(folder)}); import imports_extension`,
    ]);
    const order = ['imports_extension', '_queue', 'broken_helper'];
    expect(found.filter((name) => order.includes(name))).toEqual(order);
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
    expect(records.get('failing')).toMatchObject({kind: 'source', origin: join(folder, 'failing.py')});
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
    const run = await trace(['-m', 'json.tool', input]);
    expect(run).toMatchObject({ending: {kind: 'exit', code: 0}, isComplete: true});
    expect(names(run)).toEqual(expect.arrayContaining(['runpy', 'json', 'argparse', 'json.tool']));
    expect(await imported(['-m', 'package'])).toEqual(
      expect.arrayContaining(['package', 'package.part', 'package.__main__']),
    );
  });

  test('a directory with a __main__', async () => {
    const run = await trace(['application']);
    expect(run.ending).toEqual({kind: 'exit', code: 0});
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
      expect(run.ending).toEqual({kind: 'exit', code: 7});
      const address = / at 0x[0-9a-f]+/g;
      expect(run.stderr.replace(address, '')).toBe(real.replace(address, ''));
    },
  );

  test('programs that end by exceptions, os._exit, or as another program', async () => {
    expect((await trace(['-c', 'import deleted; 1/0'])).ending).toEqual(exit(1));
    expect((await trace(['-c', 'import deleted, sys; sys.exit("text")'])).ending).toEqual(exit(1));
    const quit = await trace(['-c', 'import deleted, os; os._exit(5)']);
    expect(quit).toMatchObject({ending: exit(5), isComplete: true});
    expect(names(quit)).toContain('deleted');
    const other = await trace(['-c', 'import deleted, os, sys; os.execv("/bin/sh", ["sh", "-c", "exit 4"])']);
    expect(other).toMatchObject({ending: exit(4), isComplete: true});
    expect(names(other)).toContain('deleted');
    const forking = 'import os, deleted\nif os.fork() == 0: os._exit(0)\nos.wait()\nimport at_exit';
    expect(names(await trace(['-c', forking]))).toContain('at_exit');
  });

  test('of a program that hangs or is killed, what it imported until then is known', async () => {
    holdTime('setTimeout', 'clearTimeout');
    const there = join(folder, `there-${series}`);
    const hanging = traceImports({
      ...{...found, cwd: folder, timeoutMs: 1500},
      argv: [
        ...['-c', 'import deleted, sys\nprint("there", flush=True)\nopen(sys.argv[1], "w")\nwhile 1: pass'],
        there,
      ],
    });
    expect(await eventually(() => existsSync(there))).toBe(true);
    jest.advanceTimersByTime(1500);
    const hang = await hanging;
    expect(hang).toMatchObject({
      ok: true,
      value: {ending: {kind: 'timeout', seconds: 1.5}, isComplete: false, stdout: 'there\n'},
    });
    expect(hang.ok && names(hang.value)).toContain('deleted');
    const killed = await trace(['-c', 'import deleted, os; os.kill(os.getpid(), 9)']);
    expect(killed).toMatchObject({ending: {kind: 'signal', signal: 'SIGKILL'}, isComplete: false});
    expect(names(killed)).toContain('deleted');
  });

  test('programs that close all descriptors, go elsewhere, replace stdout, read stdin, write much, or fork', async () => {
    const code = [
      'import os, sys, io',
      'os.closerange(3, 256); os.chdir("/"); sys.stdout = io.StringIO(); sys.stdin.read()',
      'os.write(1, b"x" * 3000000)',
      'import deleted',
      'if os.fork() == 0:',
      '    import at_exit',
      '    os._exit(0)',
      'os.wait()',
    ].join('\n');
    const run = await trace(['-c', `import sys; sys.path.insert(0, ${JSON.stringify(folder)})\n${code}`]);
    expect(run).toMatchObject({ending: exit(0), isComplete: true, stderr: ''});
    expect(run.stdout).toBe('x'.repeat(4000));
    expect(names(run)).toContain('deleted');
    expect(names(run)).not.toContain('at_exit');
  });

  test('programs whose objects in the place of modules raise whatever they are asked, or that lead their process group', async () => {
    const code = [
      'import sys, os, deleted',
      'class Odd:',
      '    def __getattr__(self, name): raise RuntimeError(name)',
      'class Named:',
      '    __spec__ = Odd()',
      'sys.modules["odd"], sys.modules["named"], sys.modules[7] = Odd(), Named(), None',
      'os.setpgrp()',
      'os.setpgid(0, 0)',
      'os.setpgid(os.getpid(), os.getpgrp())',
      'assert os.getpgrp() == os.getpid()',
      'import at_exit',
      'child = os.fork()',
      'if child == 0:',
      '    os.setpgrp()',
      '    os._exit(0 if os.getpgrp() == os.getpid() else 1)',
      'assert os.waitpid(child, 0)[1] == 0',
    ].join('\n');
    const traced = await trace(['-c', code]);
    expect(traced).toMatchObject({ending: exit(0), isComplete: true, stderr: ''});
    expect(names(traced)).toEqual(expect.arrayContaining(['deleted', 'at_exit']));
  });

  test('fails for a script that is not there, and an interpreter that does not start', async () => {
    const absent = await traceImports({...found, argv: ['no/such.py'], cwd: folder});
    expect(absent).toMatchObject({
      ok: false,
      failure: {code: 'DISCOVER', message: expect.stringContaining('no/such.py')},
    });
    const environment = {...found.environment, PYTHONHOME: join(folder, 'nowhere')};
    expect(await traceImports({...found, environment, argv: ['-c', 'pass'], cwd: folder})).toMatchObject({
      ok: false,
      failure: {code: 'DISCOVER', message: expect.stringContaining('before its imports were recorded')},
    });
  });

  test.each([['script'], ['-c'], ['-m'], ['directory']])(
    'calls and imports of a program (%s) reach as deep as without the tracer',
    async (how) => {
      const program = [
        'import sys',
        'def deeper(depth):',
        '    try: return deeper(depth + 1)',
        '    except RecursionError: return depth',
        'depth = [deeper(0), sys.getrecursionlimit()]',
        'sys.setrecursionlimit(700)',
        'depth += [deeper(0), sys.getrecursionlimit()]',
        'sys.path.insert(0, "chain")',
        'def reaches(first):',
        '    try: __import__("m%d" % first)',
        '    except RecursionError: return False',
        '    finally:',
        '        for name in list(sys.modules):',
        '            if name[0] == "m" and name[1:].isdigit(): del sys.modules[name]',
        '    return True',
        'length, too_long = 50, 300',
        'while length + 1 < too_long:',
        '    middle = (length + too_long) // 2',
        '    if reaches(300 - middle): length = middle',
        '    else: too_long = middle',
        'sys.stderr.write(repr([depth, length]))',
      ].join('\n');
      write('deep.py', program);
      write('deep/__main__.py', program);
      const argv = {script: ['deep.py'], '-c': ['-c', program], '-m': ['-m', 'deep'], directory: ['deep']}[
        how
      ];
      const real = spawnSync(found.python, ['-B', ...(argv ?? [])], {
        ...{cwd: folder, env: found.environment, encoding: 'utf8'},
      });
      const run = await trace(argv ?? []);
      expect(run.stderr).toBe(real.stderr);
      const [, length] = JSON.parse(run.stderr) as [unknown, number];
      expect(length).toBeGreaterThan(80);
      expect(length).toBeLessThan(299);
      expect(names(run)).toEqual(expect.arrayContaining([`m${300 - length}`, 'm299']));
    },
  );

  test('the environment variables that a program reads, and the hash seed of the user', async () => {
    const environment = {...found.environment, FF_SET: '1', PYTHONHASHSEED: '0'};
    const code = [
      'import os, sys',
      'os.getenv("FF_ABSENT"); os.environ["FF_SET"]; "FF_ASKED" in os.environ; os.environb.get(b"FF_BYTES")',
      'seed = os.environ.get("PYTHONHASHSEED")',
      'child = os.popen("echo $PYTHONHASHSEED").read().strip()',
      'sys.stderr.write(repr([seed, child, sys.flags.hash_randomization]))',
    ].join('\n');
    const request = {...found, environment, argv: ['-c', code], cwd: folder};
    const [without, with7] = [await traceImports(request), await traceImports({...request, hashSeed: '7'})];
    expect(without).toMatchObject({ok: true, value: {stderr: "[None, '', 0]"}});
    expect(with7).toMatchObject({ok: true, value: {stderr: "['7', '7', 0]"}});
    const read = without.ok ? without.value.variables : [];
    expect(read).toEqual(expect.arrayContaining(['FF_ABSENT', 'FF_SET', 'FF_ASKED', 'FF_BYTES']));
    expect(read).not.toContain(null);
    for (const all of ['dict(os.environ)', 'list(os.environ)', 'os.environ.items().__iter__().__next__()']) {
      expect((await trace(['-c', `import os; ${all}`])).variables).toContain(null);
    }
    expect((await trace(['-IS', '-c', 'import os; os.getenv("FF_LATE")'])).variables).toContain('FF_LATE');
  });
});
