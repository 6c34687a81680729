/** What make has made with `include Makefile.inc`, elsewhere: installed, moved, of a tree that is only read, and removed. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join, relative} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';
import {actionsOf, chosen, complaintsOf, makeBuildOf} from '../support/make-rig.js';
import {PACKAGE} from '../../support/rig.js';

jest.setTimeout(90 * 60_000);

const scratch = temporaryDirectory('make-places');

const withImages = chosen.filter(({plain = false}) => !plain);
describeWith(withImages.length > 0, 'a configuration with images in FLASHFREEZE_TEST_MAKE').each(withImages)(
  'CPython $version, $name',
  (configuration) => {
    const {name, version, inTree = false, slow = false} = configuration;
    const {build, source, pristine, prepare, command, make, python} = makeBuildOf(configuration);

    beforeAll(async () => {
      expect(await prepare()).toMatchObject({exitCode: 0});
    });

    if (!inTree && !slow) {
      test('the example', async () => {
        const done = await command('/bin/sh', [join(PACKAGE, 'examples/cpython-make/run.sh')], {
          // A store of its own: another run may have left these very edits in the shared one.
          environment: {SOURCE: source, BUILD: build, FLASHFREEZE_CACHE_DIR: join(scratch, 'store')},
        });
        expect(complaintsOf(done)).toBe('');
        expect(done.stdout.split('\n')).toEqual([
          'frozen: True',
          'up to date',
          'one statement: compile:json.decoder generate:json.decoder ',
          'edited',
          '',
        ]);
        expect(await make('-s', 'freeze-startup')).toMatchObject({exitCode: 0, stderr: ''});
      });
    }

    if (name === 'default') {
      test('with a read-only source tree, and after freeze-clean', async () => {
        expect(await make('-s', 'freeze-clean')).toMatchObject({exitCode: 0, stderr: ''});
        expect(existsSync(join(build, 'python'))).toBe(false);
        const protect =
          'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ! touch "$0/x" && exec make -s';
        const done = await command('unshare', ['-rm', 'sh', '-c', protect, source]);
        expect(complaintsOf(done)).toMatch(/^touch: .*Read-only file system\n$/);
        expect(done.exitCode).toBe(0);
        expect(await python('__import__("_flashfreeze").is_static(json.loads.__code__)')).toBe(true);
      });
    }

    test('every image equals a fresh compile', async () => {
      expect(await make('-s', 'freeze-verify')).toMatchObject({exitCode: 0, stderr: ''});
    });

    test('the installed interpreter is frozen, in any directory, and notices edited sources', async () => {
      const installed = join(scratch, `${version}-${name}`);
      // Bytecode of the top directory only: all of it takes a minute.
      const quick = ['ENSUREPIP=no', 'COMPILEALL_OPTS=-r 0'];
      const done = await make('-s', 'install', `DESTDIR=${installed}`, ...quick);
      expect(done.exitCode).toBe(0);
      const series = version.replace(/\.\d+$/, '');
      const local = join(installed, 'usr/local');
      const library = join(local, 'lib', `python${series}`);
      const run = async (code: string): Promise<string> => {
        const program = `import json, json.scanner, os, _flashfreeze as f; print(${code})`;
        const environment = {LD_LIBRARY_PATH: join(local, 'lib')};
        const file = join(local, 'bin', `python${series}`);
        const {stdout, stderr} = await command(file, ['-I', '-B', '-c', program], {environment});
        expect(stderr).toBe('');
        return stdout.trim();
      };
      const isStatic = 'f.is_static(json.loads.__code__), f.is_static(os.walk.__code__)';
      expect(await run(`f.info()["used"] > 20, ${isStatic}, json.__file__`)).toBe(
        `True True True ${library}/json/__init__.py`,
      );
      expect(await run('f.info()["inactive_because"]')).toBe('None');
      appendFileSync(join(library, 'json/__init__.py'), '\nEDITED = 1\n');
      // This one keeps its size and its time.
      const scanner = join(library, 'json/scanner.py');
      const {atime, mtime} = statSync(scanner);
      writeFileSync(
        scanner,
        readFileSync(scanner, 'utf8').replace('JSON token scanner', 'JSON TOKEN scanner'),
      );
      utimesSync(scanner, atime, mtime);
      expect(await run('json.EDITED, json.scanner.__doc__')).toBe('1 JSON TOKEN scanner');
      expect(await run(isStatic)).toBe('False True');
      rmSync(installed, {recursive: true});
    });

    test('a moved build directory keeps working; clean and distclean remove all of our files', async () => {
      // Nobody can run an interpreter with a shared library where the path has a space.
      const copy = join(scratch, `moved${name === 'shared' ? '-' : ' '}${version}-${name}`);
      cpSync(build, copy, {recursive: true, preserveTimestamps: true, verbatimSymlinks: true});
      rmSync(join(copy, 'make.log'), {force: true}); // The example's.
      const files = (folder: string): string[] =>
        readdirSync(folder, {recursive: true, withFileTypes: true})
          .filter((entry) => !entry.isDirectory() && !entry.parentPath.endsWith('__pycache__'))
          .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
          .sort();
      expect(files(copy)).toEqual(expect.arrayContaining(['flashfreeze/objects.rsp', '_flashfreeze_python']));
      if (inTree) {
        const decoder = join(copy, 'Lib/json/decoder.py');
        const text = readFileSync(decoder);
        appendFileSync(decoder, `\nEDITED = ${Date.now()}\n`);
        const made = await make('-C', copy, 'freeze-startup');
        expect(actionsOf(made)).toContain('compile:json.decoder');
        writeFileSync(decoder, text);
      }
      if (!slow) rmSync(join(copy, 'flashfreeze'), {recursive: true});
      const moved = await make('-s', '-C', copy, 'freeze-startup');
      expect([moved.exitCode, complaintsOf(moved)]).toEqual([0, '']);
      const used = await command(
        join(copy, 'python'),
        ['-I', '-c', 'import _flashfreeze as f; print(f.info()["used"])'],
        {environment: {LD_LIBRARY_PATH: copy}},
      );
      expect(Number(used.stdout)).toBeGreaterThan(15);
      const ours = /(^|\/)_?flashfreeze(_python)?(\/|$)|\.stamps|objects\.rsp|^python$/;
      expect(await make('-s', '-C', copy, 'clean')).toMatchObject({exitCode: 0});
      expect(files(copy).filter((file) => ours.test(file))).toEqual([]);
      expect(await make('-s', '-C', copy, 'distclean')).toMatchObject({exitCode: 0});
      expect(files(copy)).toEqual([...(inTree ? files(pristine) : []), 'GNUmakefile'].sort());
      rmSync(copy, {recursive: true});
    });
  },
);
