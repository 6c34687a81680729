/**
 * CPython's own Makefile with `include Makefile.inc`, on real trees. Configured and built folders stay in the cache, one for
 * each configuration. By default the cheapest says it all; FLASHFREEZE_TEST_MAKE=all (or names, with commas) takes the others.
 */
import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {CACHE, PACKAGE, type Run, type RunOptions, type Tree, prepareTree, run} from './rig.js';

jest.setTimeout(90 * 60_000);

interface Configuration {
  readonly name: string;
  readonly version: string;
  readonly configure: readonly string[];
  readonly inTree?: boolean;
  /** This interpreter cannot have images. */
  readonly plain?: boolean;
}

/** Less for the compiler to do; what is tested does not depend on it. */
const QUICK = ['--disable-test-modules', 'OPT=-DNDEBUG -O1 -Wall'];
const CONFIGURATIONS: readonly Configuration[] = [
  {name: 'default', version: '3.13.15', configure: QUICK},
  {name: 'shared', version: '3.13.15', configure: [...QUICK, '--enable-shared']},
  {name: 'lto', version: '3.13.15', configure: [...QUICK, '--with-lto']},
  {
    name: 'pgo',
    version: '3.13.15',
    configure: [...QUICK, '--enable-optimizations', 'PROFILE_TASK=-m test test_json'],
  },
  {name: 'debug', version: '3.13.15', configure: ['--disable-test-modules', '--with-pydebug'], plain: true},
  {name: 'in-tree', version: '3.13.15', configure: QUICK, inTree: true},
  {name: 'default', version: '3.11.2', configure: QUICK},
  {name: 'shared', version: '3.11.2', configure: [...QUICK, '--enable-shared']},
];
const wanted = (process.env['FLASHFREEZE_TEST_MAKE'] ?? '3.13.15-default').split(',');
const chosen = CONFIGURATIONS.filter(
  ({name, version}) => wanted.includes('all') || wanted.includes(`${version}-${name}`),
);

const scratch = mkdtempSync(join(tmpdir(), 'flashfreeze-make-'));
afterAll(() => {
  rmSync(scratch, {recursive: true, force: true});
});

const ENVIRONMENT = {
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^(PYTHON|FLASHFREEZE|MAKE)/.test(name))
      .map((name) => [name, undefined]),
  ),
  FLASHFREEZE_HOME: PACKAGE,
  FLASHFREEZE_CACHE_DIR: join(CACHE, 'store'),
};

describe.each(chosen)('CPython $version, $name', (configuration) => {
  const {name, version, configure, inTree = false, plain = false} = configuration;
  const build = join(CACHE, 'make', `${version}-${name}`);
  let tree: Tree;

  const command = (file: string, args: readonly string[], options: RunOptions = {}): Promise<Run> =>
    run(file, args, {cwd: build, ...options, environment: {...ENVIRONMENT, ...options.environment}});
  const make = (...args: string[]): Promise<Run> => command('make', ['-j2', ...args]);
  const python = async (code: string, environment: Record<string, string> = {}): Promise<unknown> => {
    const done = await command('./python', ['-B', '-c', `import json; print(json.dumps(${code}))`], {
      environment: {LD_LIBRARY_PATH: build, ...environment},
    });
    if (done.exitCode !== 0) throw new Error(done.stderr);
    return JSON.parse(done.stdout) as unknown;
  };
  /** The actions that a make was told of. */
  const actions = ({stdout}: Run): string[] =>
    stdout.split('\n').flatMap((line) => /^([a-z]+:[\w.]+) {2}/.exec(line)?.[1] ?? []);
  const times = (): string[] =>
    readdirSync(build, {recursive: true})
      .map(String)
      .filter((file) => !file.includes('__pycache__'))
      .sort();

  beforeAll(async () => {
    tree = await prepareTree(version, 'make');
    if (inTree && !existsSync(build)) cpSync(tree.source, build, {recursive: true, preserveTimestamps: true});
    mkdirSync(build, {recursive: true});
    cpSync(join(PACKAGE, 'examples/cpython-make/GNUmakefile'), join(build, 'GNUmakefile'));
    if (!existsSync(join(build, 'Makefile'))) {
      const done = await command(inTree ? './configure' : join(tree.source, 'configure'), [
        '-q',
        ...configure,
      ]);
      expect(done.exitCode).toBe(0);
    }
    const done = await make('-s');
    if (done.exitCode !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
    // CPython's own make tells which extension modules it has, also when it is to be silent.
    expect(done.stdout + done.stderr).not.toMatch(/flashfreeze(: |\.mjs)|^(compile|generate|cc|index):/m);
  });
  afterEach(() => {
    tree.restore();
  });

  /** Edits a file of the library that this configuration is built from. */
  const edit: Tree['edit'] = (file, change) => {
    tree.edit(file, change);
    if (inTree) cpSync(join(tree.source, file), join(build, file));
  };
  const restore = (): void => {
    tree.restore();
    if (inTree) cpSync(join(tree.source, 'Lib/json/decoder.py'), join(build, 'Lib/json/decoder.py'));
  };

  if (plain) {
    test('is built as ever, says why, and has no images', async () => {
      const done = await make();
      expect(done).toMatchObject({exitCode: 0});
      expect(done.stderr.match(/flashfreeze: a debug build .* without frozen modules/g)).toHaveLength(1);
      expect(await python('"_flashfreeze" in __import__("sys").builtin_module_names')).toBe(false);
      expect(await make('freeze-startup')).toMatchObject({exitCode: 2});
    });
    return;
  }

  test('images are used, in the interpreter that has the name', async () => {
    const frozen = 'json.loads json.decoder.JSONDecoder.decode __import__("os").walk __import__("site").main';
    const codes = frozen.split(' ').map((each) => `__import__("_flashfreeze").is_static(${each}.__code__)`);
    expect(await python(`[${codes.join(',')}]`)).toEqual([true, true, true, true]);
    const used = await command(
      './python',
      ['-I', '-c', 'import _flashfreeze as f; print(f.info()["used"])'],
      {
        environment: {LD_LIBRARY_PATH: build},
      },
    );
    expect(Number(used.stdout)).toBeGreaterThan(15);
    expect(await python('json.loads.__code__.co_filename')).toBe(
      join(inTree ? build : tree.source, 'Lib/json/__init__.py'),
    );
  });

  test('nothing to do: make knows it without a look at us, and asking changes nothing', async () => {
    expect(await make('-q', 'freeze-startup')).toMatchObject({exitCode: 0});
    expect(actions(await make('freeze-startup'))).toEqual([]);
    const before = times();
    edit('Lib/json/decoder.py', (text) => `${text}\nEDITED = ${Date.now()}\n`);
    expect(await make('-q', 'freeze-startup')).toMatchObject({exitCode: 1});
    const told = await make('-n', 'freeze-startup');
    expect(told).toMatchObject({exitCode: 0, stderr: ''});
    expect(told.stdout).toMatch(/flashfreeze\.mjs' make .*\n(.*\n)*.*@flashfreeze\/objects\.rsp/);
    expect(times()).toEqual(before);
    expect(await make('-q', 'freeze-startup')).toMatchObject({exitCode: 1});
    restore();
    await make('-s', 'freeze-startup');
  });

  test('an edit costs one module; a broken one leaves the interpreter as it was', async () => {
    const value = Date.now();
    edit('Lib/json/decoder.py', (text) => `${text}\nEDITED = ${value}\n`);
    expect(await python('json.decoder.EDITED')).toBe(value); // From its source: the image is not current.
    const done = await make('freeze-startup');
    expect(done.exitCode).toBe(0);
    expect(actions(done).sort()).toEqual([
      'cc:json.decoder',
      'compile:json.decoder',
      'generate:json.decoder',
    ]);
    const code = '[json.decoder.EDITED, __import__("_flashfreeze").is_static(json.loads.__code__)]';
    expect(await python(code)).toEqual([value, true]);
    expect(await make('-q', 'freeze-startup')).toMatchObject({exitCode: 0});

    edit('Lib/json/decoder.py', (text) => `${text}\ndef broken(:\n`);
    const failed = await make('freeze-startup');
    expect(failed.exitCode).toBe(2);
    expect(failed.stderr).toMatch(/error\[COMPILE\][^]*Lib\/json\/decoder\.py", line \d+/);
    const alive = await command('./python', ['-c', 'print(1)'], {environment: {LD_LIBRARY_PATH: build}});
    expect(alive).toMatchObject({exitCode: 0, stdout: '1\n'});
    restore();
    expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stdout: '', stderr: ''});
    expect(await python('hasattr(json.decoder, "EDITED")')).toBe(false);
  });

  test('FLASHFREEZE=no, no Node and an old one give CPython as it is; then the images are back', async () => {
    const old = join(scratch, 'node');
    writeFileSync(old, '#!/bin/sh\necho v18.19.1\n', {mode: 0o755});
    const isPlain = async (): Promise<boolean> =>
      (await command('./python', ['-c', 'import _flashfreeze'], {environment: {LD_LIBRARY_PATH: build}}))
        .exitCode === 1;
    expect(await make('-s', 'python', 'FLASHFREEZE=no')).toMatchObject({exitCode: 0, stdout: '', stderr: ''});
    expect(await isPlain()).toBe(true);
    for (const [node, is] of [
      ['/nowhere/node', 'not there'],
      [old, 'v18.19.1'],
    ] as const) {
      const without = await make('-s', 'python', `FLASHFREEZE_NODE=${node}`);
      expect(without.exitCode).toBe(0);
      expect(without.stderr).toBe('');
      const told = await make('python', `FLASHFREEZE_NODE=${node}`);
      expect(told.stderr).toContain(`flashfreeze: Node.js 20.19 or newer is needed and ${node} is ${is}. `);
      const asked = await make('freeze-startup', `FLASHFREEZE_NODE=${node}`);
      expect(asked).toMatchObject({exitCode: 2});
      expect(asked.stderr).toContain(`${node} is ${is}.`);
      expect(await isPlain()).toBe(true);
    }
    const done = await make('freeze-startup');
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
    expect(actions(done)).toEqual([]);
    expect(await isPlain()).toBe(false);
  });

  test('other words are noticed', async () => {
    const done = await make(
      'freeze-startup',
      'FLASHFREEZE_MODULES=--startup --trace \'-c "import colorsys"\'',
    );
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
    const code =
      '[m.name for m in __import__("_flashfreeze").modules() if m.name in ("colorsys", "json.decoder")]';
    expect(await python(code)).toEqual(['colorsys']);
    expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stdout: '', stderr: ''});
    expect(await python(code)).toEqual(['json.decoder']);
  });

  test('a make that is ended midway is gone on with', async () => {
    edit('Lib/json/decoder.py', (text) => `${text}\nEDITED = ${Date.now()}\n`);
    let ended = false;
    const broken = await command('make', ['-j2', 'freeze-startup'], {
      onOutput(child, stdout) {
        if (!ended && stdout.includes('flashfreeze.mjs')) {
          ended = true;
          child.kill('SIGTERM');
        }
      },
    });
    expect(broken.exitCode).not.toBe(0);
    expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stderr: ''});
    expect(await python('[json.decoder.EDITED > 0, __import__("_flashfreeze").info()["active"]]')).toEqual([
      true,
      true,
    ]);
    restore();
    expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stderr: ''});
  });

  if (!inTree) {
    test('the example', async () => {
      const done = await command('/bin/sh', [join(PACKAGE, 'examples/cpython-make/run.sh')], {
        // A store of its own: another run may have left these very edits in the shared one.
        environment: {SOURCE: tree.source, BUILD: build, FLASHFREEZE_CACHE_DIR: join(scratch, 'store')},
      });
      expect(done.stderr).toBe('');
      expect(done.stdout.split('\n')).toEqual([
        'frozen: True',
        'up to date',
        'one statement: compile:json.decoder generate:json.decoder cc:json.decoder ',
        'edited',
        '',
      ]);
      expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stderr: ''});
    });
  }

  test('every image equals a fresh compile', async () => {
    expect(await make('-s', 'freeze-verify')).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('what make installs is frozen, wherever it is put', async () => {
    const installed = join(scratch, `${version}-${name}`);
    // Byte code of the top folder only: all of it takes a minute.
    const quick = ['ENSUREPIP=no', 'COMPILEALL_OPTS=-r 0'];
    const done = await make('-s', 'install', `DESTDIR=${installed}`, ...quick);
    expect(done.exitCode).toBe(0);
    const series = version.replace(/\.\d+$/, '');
    const local = join(installed, 'usr/local');
    const code =
      'import json, os, _flashfreeze as f; print(f.info()["used"] > 20, f.is_static(json.loads.__code__), f.is_static(os.walk.__code__), json.__file__)';
    const frozen = await command(join(local, 'bin', `python${series}`), ['-I', '-c', code], {
      environment: {LD_LIBRARY_PATH: join(local, 'lib')},
    });
    expect(frozen.stderr).toBe('');
    expect(frozen.stdout).toBe(`True True True ${local}/lib/python${series}/json/__init__.py\n`);
    rmSync(installed, {recursive: true});
  });

  test('clean and distclean leave nothing of ours', async () => {
    const copy = join(scratch, `copy-${version}-${name}`);
    cpSync(build, copy, {recursive: true, preserveTimestamps: true, verbatimSymlinks: true});
    const ours = (): string[] =>
      readdirSync(copy, {recursive: true})
        .map(String)
        .filter(
          (file) =>
            /(^|\/)_?flashfreeze(_python)?(\/|$)|\.stamps|objects\.rsp/.test(file) || file === 'python',
        );
    expect(ours()).toEqual(expect.arrayContaining(['flashfreeze/objects.rsp', '_flashfreeze_python']));
    expect(await make('-s', '-C', copy, 'clean')).toMatchObject({exitCode: 0});
    expect(ours()).toEqual([]);
    expect(await make('-s', '-C', copy, 'distclean')).toMatchObject({exitCode: 0});
    expect(ours()).toEqual([]);
    expect(existsSync(join(copy, 'Makefile'))).toBe(false);
    rmSync(copy, {recursive: true});
  });
});
