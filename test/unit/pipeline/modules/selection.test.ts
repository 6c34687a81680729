import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import type {ModuleSelection} from '../../../../src/pipeline/build-options.js';
import {selectModules, tracedScripts} from '../../../../src/pipeline/modules/selection.js';
import {findPythons} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const directory = temporaryDirectory('selection');
const NOTHING: ModuleSelection = {
  ...{startup: false, traces: [], modules: [], packages: [], stdlib: false, exclude: []},
  ...{frozenFirst: false, restsCollector: false, preparesExpressions: true, preparesSnippets: true},
};
const [python] = findPythons().slice(-1);

beforeAll(() => {
  mkdirSync(join(directory, 'app'));
  writeFileSync(join(directory, 'app', '__main__.py'), 'import colorsys\n');
  writeFileSync(join(directory, 'main.py'), 'import colorsys, ff_helper\n');
  writeFileSync(join(directory, 'ff_helper.py'), '');
});

async function namesOf(selection: Partial<ModuleSelection>): Promise<readonly string[]> {
  if (python === undefined) throw new Error('no Python');
  const selected = await selectModules(python, {...NOTHING, ...selection}, directory);
  if (!selected.ok) throw new Error(selected.failure.message);
  return selected.value.modules.map(({name}) => name);
}

test('scripts that are traced: those that are there, also in a directory; no code, no module', () => {
  const traces = [
    'main.py --all',
    `-X dev ${directory}/main.py`,
    'app',
    '-c "import os"',
    '-m json.tool',
    'gone.py',
    '"',
  ];
  expect(tracedScripts({traces}, directory)).toEqual([
    join(directory, 'main.py'),
    join(directory, 'app', '__main__.py'),
  ]);
});

test('what several ways name is there once; what starts first comes first', async () => {
  const names = await namesOf({startup: true, traces: ['main.py'], modules: ['os']});
  expect(new Set(names).size).toBe(names.length);
  const order = ['encodings', 'os', 'colorsys', 'ff_helper'].map((name) => names.indexOf(name));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order).not.toContain(-1);
});

test('globs exclude whole names, a dot being a dot', async () => {
  const all = await namesOf({packages: ['json']});
  expect(all).toEqual(expect.arrayContaining(['json', 'json.decoder', 'json.tool']));
  const without = await namesOf({
    packages: ['json'],
    exclude: ['json.to?l', 'json.d*r', 'jso', 'json?decoder'],
  });
  expect(without).toEqual(all.filter((name) => name !== 'json.tool' && name !== 'json.decoder'));
});

test('a trace with an unclosed quote is rejected', async () => {
  if (python === undefined) throw new Error('no Python');
  const selection = {...NOTHING, traces: ['-c "import os']};
  expect(await selectModules(python, selection, directory)).toMatchObject({
    ok: false,
    failure: {code: 'USAGE'},
  });
});
