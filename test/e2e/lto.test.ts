/**
 * A CPython that is optimised across files (`--with-lto`), built twice. Its linker takes a quarter of an hour in all, so this
 * is only run where FLASHFREEZE_TEST_MAKE names it: all, or source-lto.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {REDIRECTED_CALLERS} from '../../src/cpython/build/lto.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';
import {isWanted} from '../support/make-rig.js';
import {type ConfiguredBuild, QUICKLY, type Tree, buildConfigured} from '../../support/cpython-trees.js';
import {flashfreeze, run} from '../../support/rig.js';

jest.setTimeout(60 * 60_000);

describeWith(isWanted('source-lto'), 'FLASHFREEZE_TEST_MAKE=source-lto')('CPython 3.13.15 --with-lto', () => {
  const configure = ['--with-lto', '--disable-test-modules', QUICKLY];
  let folder: string;
  let out: string;
  let tree: Tree;
  let buildDir: string;
  let build: ConfiguredBuild['build'];

  beforeAll(async () => {
    folder = temporaryDirectory('lto');
    out = join(folder, 'python');
    ({tree, buildDir, build} = await buildConfigured('lto', configure, out));
  });
  afterAll(() => {
    tree.restore();
  });

  test('all files are optimised together except those whose calls are redirected', () => {
    const isIntermediate = (object: string): boolean =>
      readFileSync(join(buildDir, 'cpython', object)).includes('.gnu.lto_');
    const objects = ['Python/ceval.o', 'Python/marshal.o', 'Objects/codeobject.o', ...REDIRECTED_CALLERS];
    expect(objects.map(isIntermediate)).toEqual([true, true, true, false, false, false]);
  });

  test('importlib, what every start imports and what was traced come from images', async () => {
    const code = `if 1:
      import _flashfreeze as f, _frozen_importlib_external as e, os, sys
      used = f.info()['used']
      import json
      print(used > 15, [f.is_static(x.__code__) for x in (e.cache_from_source, os.walk, json.loads)])`;
    const done = await run(out, ['-I', '-B', '-c', code]);
    expect(done).toMatchObject({stdout: 'True [True, True, True]\n', stderr: ''});
    const verified = await flashfreeze(['verify', '--images', out, '--source', tree.source]);
    expect(verified).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('an edit costs one module and the link', async () => {
    tree.edit('Lib/json/decoder.py', (text) => `${text}\nEDITED = ${Date.now()}\n`);
    const module = ['compile', 'generate', 'cc'].map((action) => `${action}:json.decoder`);
    expect((await build()).summary).toMatchObject({ok: true, executed: [...module, 'link:python']});
    const code = 'import json.decoder as d; print(d.EDITED > 0)';
    expect(await run(out, ['-I', '-B', '-c', code])).toMatchObject({stdout: 'True\n'});
    tree.restore();
    expect((await build()).summary.ok).toBe(true);
  });
});
