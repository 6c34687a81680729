/** `flashfreeze doctor EXE`: what of a frozen interpreter is not as an ordinary import would have it. */
import {appendFileSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreeze, flashfreezeJson} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('doctor');
const app = join(folder, 'app');
const exe = join(folder, 'python');
const shadow = join(folder, 'shadow');

beforeAll(async () => {
  mkdirSync(join(app, 'parts'), {recursive: true});
  writeFileSync(join(app, 'main.py'), 'import json, helper, parts.one\n');
  writeFileSync(join(app, 'helper.py'), 'def answer():\n    return 42\n');
  writeFileSync(join(app, 'parts', '__init__.py'), '');
  writeFileSync(join(app, 'parts', 'one.py'), '');
  const python = findPythons().at(-1)?.python ?? 'python3';
  const trace = ['--trace', join(app, 'main.py'), '--module', 'csv'];
  expect(
    (await flashfreezeJson(['relink', '--python', python, '--out', exe, ...trace])).summary,
  ).toMatchObject({
    ok: true,
  });
});

/** The lines about modules, as `name state`. */
async function findings(
  words: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<string[]> {
  const {exitCode, stdout} = await flashfreeze(['doctor', exe, '--json', ...words], {environment});
  expect(exitCode).toBe(0);
  return stdout
    .split('\n')
    .filter((line) => line.includes('"type":"module"'))
    .map((line) => {
      const {name, state, note} = JSON.parse(line) as {name: string; state: string; note: string};
      return `${name} ${state} ${note}`.trim();
    });
}

test('a fresh interpreter has no findings', async () => {
  expect(await findings()).toEqual([]);
});

test('modules that a program does not import', async () => {
  const unused = await findings(['--trace', join(app, 'main.py')]);
  expect(unused).toContain('csv unused');
  expect(unused.filter((line) => /^(json|helper|parts)/.test(line))).toEqual([]);
});

test('files that come first on the path, or beside a module', async () => {
  mkdirSync(join(shadow, 'csv'), {recursive: true});
  // Also one that the search itself needs.
  for (const name of ['csv/__init__.py', 'json.py']) writeFileSync(join(shadow, name), '');
  mkdirSync(join(app, 'helper'));
  writeFileSync(join(app, 'helper', '__init__.py'), '');
  expect(await findings([], {PYTHONPATH: `${shadow}:${app}`})).toEqual([
    `csv shadowed by ${shadow}/csv/__init__.py`,
    `helper shadowed by ${app}/helper/__init__.py`,
    `json shadowed by ${shadow}/json.py`,
  ]);
  rmSync(join(app, 'helper'), {recursive: true});
});

test('sources that have changed, do not compile, or are gone', async () => {
  appendFileSync(join(app, 'helper.py'), '# a comment\n');
  expect(await findings()).toEqual([]);
  writeFileSync(join(app, 'helper.py'), '# a comment\ndef answer():\n    return 42\n');
  appendFileSync(join(app, 'parts', 'one.py'), 'def (\n');
  rmSync(join(app, 'parts', '__init__.py'));
  expect(await findings()).toEqual([
    `helper stale ${app}/helper.py has changed`,
    `parts stale ${app}/parts/__init__.py is gone`,
    `parts.one stale ${app}/parts/one.py has changed`,
  ]);
});
