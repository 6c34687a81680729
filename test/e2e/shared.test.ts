/** A CPython with its interpreter in a shared library, built twice. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {type ConfiguredBuild, QUICKLY, type Tree, buildConfigured} from '../../support/cpython-trees.js';
import {flashfreeze, flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('shared');
const out = join(folder, 'python');
let tree: Tree;
let buildDir: string;
let build: ConfiguredBuild['build'];
const python = async (code: string, environment: Record<string, string> = {}): Promise<unknown> => {
  const done = await run(out, ['-B', '-c', `import json; print(json.dumps(${code}))`], {environment});
  if (done.exitCode !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout) as unknown;
};

beforeAll(async () => {
  ({tree, buildDir, build} = await buildConfigured('shared', ['--enable-shared', QUICKLY], out));
});
afterAll(() => {
  tree.restore();
});

const LIBRARY = '[l.split()[-1] for l in open("/proc/self/maps") if "libpython" in l][0]';

test('images are in a libpython of their own, which the new executable loads whatever LD_LIBRARY_PATH says', async () => {
  const library = join(buildDir, 'cpython/frozen-lib/libpython3.13.so.1.0');
  const stage1 = join(buildDir, 'cpython/libpython3.13.so.1.0');
  expect(await python(LIBRARY)).toBe(library);
  expect(await python(LIBRARY, {LD_LIBRARY_PATH: join(buildDir, 'cpython')})).toBe(library);
  const isOurs = (path: string): boolean => readFileSync(path).includes('_flashfreeze.Module');
  expect([stage1, library].map(isOurs)).toEqual([false, true]);
});

test('static code is in use, also of what CPython freezes itself; images equal a fresh compile', async () => {
  const code =
    '[__import__("_flashfreeze").is_static(f.__code__) for f in (json.loads, __import__("os").walk)]';
  expect(await python(code)).toEqual([true, true]);
  const verified = await flashfreeze(['verify', '--images', out, '--source', tree.source]);
  expect(verified).toMatchObject({exitCode: 0, stderr: ''});
});

test('a second run is up to date; an edit costs one module and the links', async () => {
  expect((await build()).summary).toMatchObject({ok: true, executed: []});
  tree.edit('Lib/json/decoder.py', (text) => `${text}\nEDITED = ${Date.now()}\n`);
  expect((await build()).summary).toMatchObject({
    ok: true,
    executed: ['compile:json.decoder', 'generate:json.decoder', 'link:libpython', 'link:python'],
  });
  expect(await python('json.decoder.EDITED > 0')).toBe(true);
  tree.restore();
  expect((await build()).summary.ok).toBe(true);
});

test('bench runs stage 1 with its own library', async () => {
  const done = await flashfreezeJson(['bench', '--build-dir', buildDir, '--runs', '3']);
  expect(done.summary).toMatchObject({ok: true, ratios: {'-c pass': {instructions: null}}});
  expect(existsSync(join(buildDir, 'bench/bin/frozen-lib'))).toBe(true);
});
