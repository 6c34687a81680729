/** CPython's own Makefile with `include Makefile.inc`, on real trees: what make makes, and when (configurations: make-rig.ts). */
import {existsSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {REDIRECTED_CALLERS} from '../../src/cpython/build/lto.js';
import {missingOf} from '../support/installed-programs.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {testWith} from '../support/with.js';
import {actionsOf, chosen, makeBuildOf} from '../support/make-rig.js';

jest.setTimeout(90 * 60_000);

const scratch = temporaryDirectory('make');

describe.each(chosen)('CPython $version, $name', (configuration) => {
  const {name, version, plain = false, slow = false} = configuration;
  const testWithManyLinks = testWith(!slow, `a link that takes seconds (${version}, ${name})`);
  const {build, source, prepare, command, make, python, edit, restore} = makeBuildOf(configuration);
  const times = (): string[] =>
    readdirSync(build, {recursive: true})
      .map(String)
      .filter((file) => !file.includes('__pycache__'))
      .sort();

  beforeAll(async () => {
    const done = await prepare();
    if (done.exitCode !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
    // CPython's own make tells which extension modules it has, also when it is to be silent.
    expect(done.stdout + done.stderr).not.toMatch(/flashfreeze(: |\.mjs)|^(compile|generate|cc|index):/m);
  });
  afterEach(restore);

  if (plain) {
    test('is built unmodified, with a warning, and has no images', async () => {
      rmSync(join(build, 'python'));
      const done = await make();
      expect(done).toMatchObject({exitCode: 0});
      expect(done.stderr.match(/flashfreeze: a debug build .* without frozen modules/g)).toHaveLength(1);
      expect(await python('"_flashfreeze" in __import__("sys").builtin_module_names')).toBe(false);
      expect(await python('hasattr(__import__("sys"), "gettotalrefcount")')).toBe(true);
      const asked = await make('freeze-startup');
      expect(asked).toMatchObject({exitCode: 2});
      expect(asked.stderr).toMatch(
        /^flashfreeze: a debug build of CPython cannot have static code objects: .*\.$/m,
      );
      expect(await make('FLASHFREEZE=no')).toMatchObject({exitCode: 0, stderr: ''});
      expect(existsSync(join(build, 'flashfreeze'))).toBe(false);
    });
    return;
  }

  test('the interpreter named `python` uses images', async () => {
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
    expect(await python('json.loads.__code__.co_filename')).toBe(join(source, 'Lib/json/__init__.py'));
  });

  if (name === 'lto') {
    test('all files are optimised together except those whose calls are redirected', () => {
      const isIntermediate = (object: string): boolean =>
        readFileSync(join(build, object)).includes('.gnu.lto_');
      const objects = ['Python/ceval.o', 'Python/marshal.o', 'Objects/codeobject.o', ...REDIRECTED_CALLERS];
      expect(objects.map(isIntermediate)).toEqual([true, true, true, false, false, false]);
    });
  }

  if (name === 'pgo') {
    test('trains an interpreter without images; the final one has a profile, and is up to date', async () => {
      const profiles = readdirSync(join(build, 'Python')).filter((file) => file.endsWith('.gcda'));
      expect(profiles).toEqual(expect.arrayContaining(['ceval.gcda', 'import.gcda']));
      const flag = 'CFLAGS_NODIST=$(PGO_PROF_GEN_FLAG)';
      const training = await make('-n', '-W', 'Programs/python.o', 'build_all', flag);
      expect(training.stdout).toMatch(/ -o python /);
      expect(training.stdout).not.toMatch(/@flashfreeze\/objects\.rsp|flashfreeze\.mjs/);
      const again = await make();
      expect(again).toMatchObject({exitCode: 0});
      expect(again.stdout).toContain('Rebuilding with profile guided optimizations');
      expect(again.stdout).not.toMatch(/flashfreeze\.mjs| -o python /);
    });
  }

  testWithManyLinks(
    'nothing to do: make knows it without a look at us, and asking changes nothing',
    async () => {
      expect(await make('-q', 'freeze-startup')).toMatchObject({exitCode: 0});
      expect(actionsOf(await make('freeze-startup'))).toEqual([]);
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
    },
  );

  test('an edit costs one module; one with a syntax error is left out until it is fixed', async () => {
    const value = Date.now();
    edit('Lib/json/decoder.py', (text) => `${text}\nEDITED = ${value}\n`);
    expect(await python('json.decoder.EDITED')).toBe(value); // From its source: the image is not current.
    const done = await make('freeze-startup');
    expect(done.exitCode).toBe(0);
    expect(actionsOf(done).sort()).toEqual(['compile:json.decoder', 'generate:json.decoder']);
    const code = '[json.decoder.EDITED, __import__("_flashfreeze").is_static(json.loads.__code__)]';
    expect(await python(code)).toEqual([value, true]);
    expect(await make('-q', 'freeze-startup')).toMatchObject({exitCode: 0});

    edit('Lib/json/decoder.py', (text) => `${text}\ndef broken(:\n`);
    const broken = await make('freeze-startup');
    expect(broken.exitCode).toBe(0);
    expect(broken.stderr).toMatch(
      /warning: 1 module does not compile.*: json\.decoder \(.*Lib\/json\/decoder\.py:\d+\): SyntaxError/,
    );
    // As in CPython without images: the rest is there, and this import shows what is wrong.
    const environment = {LD_LIBRARY_PATH: build};
    const tryIt = 'import _flashfreeze as f, os; print(f.is_static(os.walk.__code__)); import json';
    const tried = await command('./python', ['-c', tryIt], {environment});
    expect(tried).toMatchObject({exitCode: 1, stdout: 'True\n'});
    expect(tried.stderr).toMatch(/Lib\/json\/decoder\.py", line \d+\n +def broken\(:\n[^]*SyntaxError/);
    restore();
    expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stdout: '', stderr: ''});
    expect(await python('hasattr(json.decoder, "EDITED")')).toBe(false);
  });

  testWithManyLinks(
    'FLASHFREEZE=no, no Node and an old one give CPython as it is; then the images are back',
    async () => {
      const old = join(scratch, 'node');
      writeFileSync(old, '#!/bin/sh\necho v18.19.1\n', {mode: 0o755});
      const isPlain = async (): Promise<boolean> =>
        (await command('./python', ['-c', 'import _flashfreeze'], {environment: {LD_LIBRARY_PATH: build}}))
          .exitCode === 1;
      expect(await make('-s', 'python', 'FLASHFREEZE=no')).toMatchObject({
        exitCode: 0,
        stdout: '',
        stderr: '',
      });
      expect(await isPlain()).toBe(true);
      for (const [node, is] of [
        ['/nowhere/node', 'not found'],
        [old, 'v18.19.1'],
      ] as const) {
        const without = await make('-s', 'python', `FLASHFREEZE_NODE=${node}`);
        expect(without.exitCode).toBe(0);
        expect(without.stderr).toBe('');
        const told = await make('python', `FLASHFREEZE_NODE=${node}`);
        expect(told.stderr).toContain(
          `flashfreeze: Node.js 20.19 or newer is needed, but ${node} is ${is}. `,
        );
        const asked = await make('freeze-startup', `FLASHFREEZE_NODE=${node}`);
        expect(asked).toMatchObject({exitCode: 2});
        expect(asked.stderr).toContain(`${node} is ${is}.`);
        expect(await isPlain()).toBe(true);
      }
      const done = await make('freeze-startup');
      expect(done).toMatchObject({exitCode: 0, stderr: ''});
      expect(actionsOf(done)).toEqual([]);
      expect(await isPlain()).toBe(false);
    },
  );

  testWithManyLinks('changed variables are noticed', async () => {
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

  // Objects of other compilers can be linked, so CPython itself needs no other build.
  for (const [variables, programs] of [
    [
      ['CC=ccache clang', 'LDFLAGS=-fuse-ld=lld'],
      ['ccache', 'clang', 'ld.lld'],
    ],
    [
      ['CC=ccache gcc', 'LDFLAGS=-fuse-ld=mold', 'FLASHFREEZE_PIE=yes'],
      ['ccache', 'mold'],
    ],
  ] as const) {
    const missing = missingOf(programs);
    testWith(!slow && missing.length === 0, `a quick link, and ${programs.join(' and ')}`)(
      `images are made and linked with ${variables.join(' ')}`,
      async () => {
        const done = await make('freeze-startup', ...variables);
        expect(done).toMatchObject({exitCode: 0, stderr: ''});
        expect(await make('-q', 'freeze-startup', ...variables)).toMatchObject({exitCode: 0});
        const answer = await python(
          '[__import__("_flashfreeze").is_static(json.loads.__code__), __import__("_flashfreeze").info()["build"]]',
        );
        expect(answer).toEqual([
          true,
          expect.stringContaining(variables[0].includes('clang') ? '"clang ' : '"gcc '),
        ]);
        expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stderr: ''});
      },
    );
  }

  testWithManyLinks('an interrupted make is continued', async () => {
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

  testWithManyLinks('freeze-watch rebuilds after an edit, and ends with Ctrl-C', async () => {
    await make('-s', 'freeze-startup');
    const value = Date.now();
    let beforeEdit: string | undefined;
    let interrupted = false;
    // A group of its own, as a terminal's: Ctrl-C is for all of it.
    const done = await command('setsid', ['make', 'freeze-watch'], {
      onOutput(child, stdout) {
        const makes = stdout.split('Leaving directory').length - 1;
        if (makes === 1 && beforeEdit === undefined) {
          beforeEdit = stdout;
          edit('Lib/json/decoder.py', (text) => `${text}\nEDITED = ${value}\n`);
        }
        if (makes === 2 && !interrupted) {
          interrupted = true;
          process.kill(-child.pid, 'SIGINT');
        }
      },
    });
    expect(done.stderr).toMatch(/error\[INTERRUPTED\][^]*freeze-watch/);
    expect(done.exitCode).not.toBe(0);
    expect(actionsOf(done).sort()).toEqual(['compile:json.decoder', 'generate:json.decoder']);
    expect(beforeEdit).not.toContain('@flashfreeze/objects.rsp');
    expect(await make('-q', 'freeze-startup')).toMatchObject({exitCode: 0});
    const code = '[json.decoder.EDITED, __import__("_flashfreeze").is_static(json.loads.__code__)]';
    expect(await python(code)).toEqual([value, true]);
    restore();
    expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stderr: ''});
  });
});
