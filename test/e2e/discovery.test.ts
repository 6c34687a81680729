/** Modules that come, go, and come back between builds. */
import {cpSync, mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('discovery');
const app = join(folder, 'app');

const PROGRAM = `
def wish(name):
    try:
        __import__(name)
    except ImportError:
        pass

import helper
wish("extra")
wish("package.part")
`;

beforeAll(async () => {
  mkdirSync(join(app, 'package'), {recursive: true});
  writeFileSync(join(app, 'main.py'), PROGRAM);
  writeFileSync(join(app, 'helper.py'), '');
  writeFileSync(join(app, 'package', '__init__.py'), '');
  writeFileSync(join(app, 'package', 'part.py'), '');
  await build();
});

/** Builds in a directory, where the program may be named from; gives what was executed. */
async function build(cwd = folder, program = join(app, 'main.py')): Promise<readonly string[]> {
  const python = findPythons().at(-1)?.python ?? 'python3';
  const words = ['relink', '--python', python, '--out', join(folder, 'python'), '--trace', program];
  const {summary, stderr} = await flashfreezeJson(words, {
    cwd,
    environment: {FLASHFREEZE_CACHE_DIR: join(folder, 'store')},
  });
  if (!summary.ok) throw new Error(stderr);
  return summary.executed;
}

const FREEZES_EXTRA = expect.arrayContaining(['discover:modules', 'compile:extra', 'link:python']);

test('a file that is not a module', async () => {
  writeFileSync(join(app, 'notes.txt'), '');
  mkdirSync(join(app, '__pycache__'));
  expect(await build()).toEqual([]);
});

test('a new module', async () => {
  writeFileSync(join(app, 'extra.py'), '');
  expect(await build()).toEqual(FREEZES_EXTRA);
  expect(await build()).toEqual([]);
});

test('a module that disappears, and comes back with other code', async () => {
  rmSync(join(app, 'extra.py'));
  const without = await build();
  expect(without).toContain('link:python');
  expect(without).not.toContain('compile:extra');
  writeFileSync(join(app, 'extra.py'), 'x = 1\n');
  expect(await build()).toEqual(FREEZES_EXTRA);
});

test('a program that imports one more module, and one that does not', async () => {
  writeFileSync(join(app, 'other.py'), '');
  await build();
  writeFileSync(join(app, 'main.py'), `${PROGRAM}import other\n`);
  expect(await build()).toEqual(expect.arrayContaining(['discover:modules', 'compile:other', 'link:python']));
  writeFileSync(join(app, 'main.py'), `${PROGRAM}import other  # as it was\n`);
  expect(await build()).toEqual(['discover:modules']);
});

test('a package that was removed', async () => {
  const away = join(folder, 'away');
  renameSync(join(app, 'package'), away);
  expect(await build()).toContain('link:python');
  expect(await build()).toEqual([]);
  cpSync(away, join(app, 'package'), {recursive: true});
  // What it is made of is in the cache.
  const again = await build();
  expect(again).toEqual(expect.arrayContaining(['discover:modules', 'link:python']));
  expect(await build()).toEqual([]);
});

test('the same program, in another directory', async () => {
  const places = ['here', 'there'].map((name) => join(folder, name));
  for (const place of places) {
    mkdirSync(place);
    writeFileSync(join(place, 'main.py'), 'import beside\n');
    writeFileSync(join(place, 'beside.py'), `place = ${JSON.stringify(place)}\n`);
  }
  for (const place of places) {
    await build(place, 'main.py');
    const code = `if 1:
      import _flashfreeze as f
      print([origin for name, origin, digest in f.modules() if name == 'beside'])`;
    const {stdout} = await run(join(folder, 'python'), ['-c', code]);
    expect(stdout).toBe(`['${join(place, 'beside.py')}']\n`);
    expect(await build(place, 'main.py')).toEqual([]);
  }
});
