import {join} from 'node:path';
import {symlinkSync} from 'node:fs';
import {describe, expect, test} from '@jest/globals';
import {openSourceTree} from '../../../../src/cpython/source/source-tree.js';
import {listStage1Inputs, selectConfigureInputs} from '../../../../src/cpython/source/stage1-inputs.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {SMALL_TREE, writeFiles} from '../folders.js';

const folder = temporaryDirectory();

describe('openSourceTree', () => {
  test('opens a tree, through links', async () => {
    const tree = writeFiles(join(folder, 'good'), SMALL_TREE);
    symlinkSync(tree, join(folder, 'link'));
    const opened = await openSourceTree(join(folder, 'link'));
    expect(opened).toMatchObject({ok: true, value: {version: {text: '3.13.15'}}});
    expect(opened.ok && opened.value.path.endsWith('/good')).toBe(true);
  });

  test.each(Object.keys(SMALL_TREE))('fails without %s, and names it', async (name) => {
    const tree = join(folder, `without-${name.replace('/', '-')}`);
    writeFiles(tree, Object.fromEntries(Object.entries(SMALL_TREE).filter(([each]) => each !== name)));
    expect(await openSourceTree(tree)).toMatchObject({
      ok: false,
      failure: {code: 'SOURCE_TREE', message: expect.stringContaining(name)},
    });
  });

  test('fails for a directory that is not there', async () => {
    const failure = {code: 'SOURCE_TREE', message: expect.stringContaining('nowhere')};
    expect(await openSourceTree(join(folder, 'nowhere'))).toMatchObject({ok: false, failure});
  });

  test.each(['Programs/python.o', 'Python/frozen_modules/importlib._bootstrap.h', 'python', 'pyconfig.h'])(
    'fails where an in-tree build left %s, and says how to clean up',
    async (leftover) => {
      const tree = writeFiles(join(folder, `dirty-${leftover.replaceAll('/', '-')}`), {
        ...SMALL_TREE,
        [leftover]: '',
      });
      expect(await openSourceTree(tree)).toMatchObject({
        ok: false,
        failure: {
          code: 'SOURCE_TREE',
          message: expect.stringContaining(leftover),
          hint: expect.stringContaining('distclean'),
        },
      });
    },
  );
});

describe('the inputs of stage 1', () => {
  const tree = writeFiles(join(folder, 'inputs'), {
    ...SMALL_TREE,
    'configure.ac': '',
    'config.guess': '',
    'pyconfig.h.in': '',
    'Include/internal/pycore_code.h': '',
    'Include/Zoo.h': '',
    'Include/abc.h': '',
    'Include/.abc.h.swp': '',
    'Modules/getpath.py': '',
    'Modules/Setup.bootstrap.in': '',
    'Modules/makesetup': '',
    'Modules/_decimal/tests/bench.py': '',
    'Modules/_decimal/_decimal.c': '',
    'Modules/README.md': '',
    'Python/ceval.c': '',
    'Python/ceval.c~': '',
    'Python/é.c': '',
    'Lib/json/decoder.py': '',
    'Lib/test/test_json.py': '',
    'Misc/NEWS.d/1.rst': '',
    'Misc/python.pc.in': '',
    'Misc/platform_triplet.c': '',
    'Tools/freeze/flag.py': '',
    'Tools/build/deepfreeze.py': '',
    'Tools/build/__pycache__/deepfreeze.cpython-313.pyc': '',
    'Tools/wasm/x.py': '',
    'Doc/conf.py': '',
    'PC/pyconfig.h.in': '',
    '.git/config': '',
  });
  const list = async (): Promise<readonly string[]> => {
    const opened = await openSourceTree(tree);
    const inputs = opened.ok ? await listStage1Inputs(opened.value) : opened;
    if (!inputs.ok) throw new Error(inputs.failure.message);
    return inputs.value;
  };

  test('are what configure and make read, sorted by bytes', async () => {
    expect(await list()).toEqual([
      'Include/Zoo.h',
      'Include/abc.h',
      'Include/internal/pycore_code.h',
      'Include/patchlevel.h',
      'Makefile.pre.in',
      'Misc/platform_triplet.c',
      'Misc/python.pc.in',
      'Modules/Setup.bootstrap.in',
      'Modules/_decimal/_decimal.c',
      'Modules/getpath.py',
      'Modules/makesetup',
      'Programs/python.c',
      'Python/ceval.c',
      'Python/é.c',
      'Tools/build/deepfreeze.py',
      'Tools/freeze/flag.py',
      'config.guess',
      'configure',
      'pyconfig.h.in',
    ]);
  });

  test('of them, configure reads the templates', async () => {
    expect(selectConfigureInputs(await list())).toEqual([
      'Include/patchlevel.h',
      'Makefile.pre.in',
      'Misc/platform_triplet.c',
      'Misc/python.pc.in',
      'Modules/Setup.bootstrap.in',
      'Modules/makesetup',
      'config.guess',
      'configure',
      'pyconfig.h.in',
    ]);
  });
});
