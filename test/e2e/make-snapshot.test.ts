/** `make freeze-snapshot`, in a directory that CPython's configure made: what Makefile.inc asks for, and when. */
import {existsSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {QUICKLY, prepareTree} from '../../support/cpython-trees.js';
import {CACHE, PACKAGE, type Run, run, withoutUsersVariables} from '../../support/rig.js';
import {STATE} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const home = temporaryDirectory('make-snapshot');
const build = join(CACHE, 'make', '3.13.15-snapshot');
const file = join(build, 'python-snapshot');
const environment = {
  ...withoutUsersVariables(/^(PYTHON|FLASHFREEZE|MAKE)/),
  ...{HOME: home, LANG: 'C.UTF-8', LC_ALL: undefined, FLASHFREEZE_CACHE_DIR: join(CACHE, 'store')},
};
let settings: readonly string[] = [];

const make = (...words: readonly string[]): Promise<Run> =>
  run('make', ['-f', 'Makefile', '-f', join(PACKAGE, 'Makefile.inc'), ...settings, ...words], {
    ...{environment, cwd: build},
  });

beforeAll(async () => {
  const {source, buildDir} = await prepareTree('3.13.15');
  settings = [
    `FLASHFREEZE_SNAPSHOT_DIR=${buildDir}-snapshot`,
    `FLASHFREEZE_MODULES=--startup --trace '-c "import json"'`,
  ];
  mkdirSync(build, {recursive: true});
  if (existsSync(join(build, 'Makefile'))) return;
  const done = await run(join(source, 'configure'), ['-q', QUICKLY], {environment, cwd: build});
  if (done.exitCode !== 0) throw new Error(done.stderr);
});

test('builds an interpreter with a snapshot, and nothing the second time', async () => {
  const made = await make('freeze-snapshot');
  expect([made.exitCode, made.stderr]).toEqual([0, expect.any(String)]);
  const started = await run(file, ['-c', `import json, sys; print("json" in sys.modules); ${STATE}`], {
    ...{environment, cwd: home},
  });
  expect(started).toMatchObject({exitCode: 0, stderr: '', stdout: 'True\nrestored\n'});
  const again = await make('freeze-snapshot');
  expect(again.exitCode).toBe(0);
  expect(again.stdout + again.stderr).toMatch(/nothing to do/);
});

test('builds the program that FLASHFREEZE_SNAPSHOT_FLAGS names', async () => {
  const made = await make('freeze-snapshot', 'FLASHFREEZE_SNAPSHOT_FLAGS=--entry json.tool');
  expect(made.exitCode).toBe(0);
  const started = await run(file, ['--help'], {environment, cwd: home});
  expect(started).toMatchObject({exitCode: 0, stdout: expect.stringContaining('--json-lines')});
});

test('belongs to `all` where it is asked for', async () => {
  const asks = /flashfreeze\.mjs'? snapshot /;
  for (const [words, isAsked] of [
    [[], false],
    [['FLASHFREEZE_SNAPSHOT=no'], false],
    [['FLASHFREEZE_SNAPSHOT=yes'], true],
  ] as const) {
    const shown = await make('-n', 'all', ...words);
    expect([words, asks.test(shown.stdout)]).toEqual([words, isAsked]);
  }
});

test('is refused without images, and removed with the rest', async () => {
  const refused = await make('freeze-snapshot', 'FLASHFREEZE=no');
  expect(refused).toMatchObject({exitCode: 2, stderr: expect.stringContaining('disabled by FLASHFREEZE=no')});
  expect(existsSync(file)).toBe(true);
  expect(await make('freeze-clean')).toMatchObject({exitCode: 0});
  expect(existsSync(file)).toBe(false);
});
