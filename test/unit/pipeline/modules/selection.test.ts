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
  ...{
    frozenFirst: false,
    restsCollector: false,
    exitsFast: false,
    preparesExpressions: true,
    preparesSnippets: true,
  },
};
const place = {cwd: directory, userEnvironment: process.env};
const [python] = findPythons().slice(-1);

beforeAll(() => {
  mkdirSync(join(directory, 'app'));
  writeFileSync(join(directory, 'app', '__main__.py'), 'import colorsys\n');
  writeFileSync(join(directory, 'main.py'), 'import colorsys, ff_helper\n');
  writeFileSync(join(directory, 'ff_helper.py'), '');
});

async function namesOf(selection: Partial<ModuleSelection>): Promise<readonly string[]> {
  if (python === undefined) throw new Error('no Python');
  const selected = await selectModules(python, {...NOTHING, ...selection}, place);
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

test('named modules and packages are those of the working directory and of PYTHONPATH', async () => {
  mkdirSync(join(directory, 'elsewhere', 'ff_package'), {recursive: true});
  writeFileSync(join(directory, 'elsewhere', 'ff_package', '__init__.py'), '');
  writeFileSync(join(directory, 'elsewhere', 'ff_package', 'ff_part.py'), '');
  writeFileSync(join(directory, 'elsewhere', 'ff_helper.py'), '');
  const select = async (selection: Partial<ModuleSelection>, more: Record<string, string>) => {
    const userEnvironment = {...process.env, ...more};
    if (python === undefined) throw new Error('no Python');
    const done = await selectModules(python, {...NOTHING, ...selection}, {cwd: directory, userEnvironment});
    return done.ok ? done.value.modules.map(({name, origin}) => [name, origin]) : done.failure.code;
  };
  const elsewhere = {PYTHONPATH: 'elsewhere', PYTHONWARNINGS: 'error', PYTHONOPTIMIZE: '2'};
  // As with -c: the working directory comes first.
  expect(await select({modules: ['ff_helper'], packages: ['ff_package']}, elsewhere)).toEqual([
    ['ff_helper', join(directory, 'ff_helper.py')],
    ['ff_package', join(directory, 'elsewhere/ff_package/__init__.py')],
    ['ff_package.ff_part', join(directory, 'elsewhere/ff_package/ff_part.py')],
  ]);
  expect(await select({packages: ['ff_package']}, {})).toBe('NO_MODULE');
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
  expect(await selectModules(python, selection, place)).toMatchObject({
    ok: false,
    failure: {code: 'USAGE'},
  });
});

test('programs see the environment of the user; what they read, how they end, and modules of one name are known', async () => {
  if (python === undefined) throw new Error('no Python');
  for (const name of ['one', 'two']) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'ff_same.py'), '');
    writeFileSync(join(directory, name, 'run.py'), 'import ff_same\n');
  }
  mkdirSync(join(directory, 'library'));
  writeFileSync(join(directory, 'library', 'ff_settings.py'), '');
  writeFileSync(
    join(directory, 'needs.py'),
    'import os, ff_settings\nprint("\\x1b[1mlast")\nos.environ["FF_MODE"]\n',
  );
  const selection = {...NOTHING, traces: ['one/run.py', 'two/run.py', 'needs.py']};
  const userEnvironment = {...process.env, PYTHONPATH: join(directory, 'library')};
  const selected = await selectModules(python, selection, {cwd: directory, userEnvironment});
  if (!selected.ok) throw new Error(selected.failure.message);
  const {modules, sameNames, variables, problems} = selected.value;
  const [one, two] = ['one', 'two'].map((name) => join(directory, name, 'ff_same.py'));
  expect(modules).toContainEqual(expect.objectContaining({name: 'ff_same', origin: one}));
  expect(modules).toContainEqual(expect.objectContaining({name: 'ff_settings'}));
  expect(sameNames).toEqual([{name: 'ff_same', frozen: one, other: two}]);
  expect(variables).toContain('FF_MODE');
  expect(problems).toEqual([
    {
      message: 'the traced program "python needs.py" ended with exit code 1',
      output: expect.stringMatching(/KeyError: 'FF_MODE'$/),
    },
  ]);
});
