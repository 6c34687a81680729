/** A file that comes earlier on `sys.path` than a frozen module of its name. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('precedence');
const shadow = join(folder, 'shadow');
const app = join(folder, 'app');
beforeAll(() => {
  mkdirSync(join(shadow, 'json'), {recursive: true});
  mkdirSync(app);
  writeFileSync(join(shadow, 'json', '__init__.py'), 'dumps = None\n');
  writeFileSync(join(shadow, 'helper.py'), '');
  writeFileSync(
    join(app, 'main.py'),
    'import json, helper\nprint(json.__file__, helper.__file__, sep="\\n")\n',
  );
  writeFileSync(join(app, 'helper.py'), '');
});

const newest = findPythons().at(-1)?.python ?? 'python3';

describe.each<['relink' | 'overlay', string]>([
  ['relink', ''],
  ['overlay', 'bin/python'],
])('%s', (host, exe) => {
  const freeze = async (rule: readonly string[]) => {
    const out = join(folder, `${host}${rule.length}`);
    const what = ['--trace', join(app, 'main.py'), ...rule];
    const {summary} = await flashfreezeJson([host, '--python', newest, '--out', out, ...what]);
    const series = /^\d+\.\d+/.exec(String(summary['python']))?.[0] ?? '';
    return exe === '' ? out : join(out, `${exe}${series}`);
  };
  const found = async (python: string, path: readonly string[]) => {
    const done = await run(python, ['-B', join(app, 'main.py')], {environment: {PYTHONPATH: path.join(':')}});
    expect(done.stderr).toBe('');
    return done.stdout.trim().split('\n');
  };
  const json = expect.stringMatching(/\/lib\/python3\.\d+\/json\/__init__\.py$/);

  test('a file earlier on the path takes precedence', async () => {
    const python = await freeze([]);
    expect(await found(python, [shadow])).toEqual([join(shadow, 'json/__init__.py'), join(app, 'helper.py')]);
  });

  test('with frozen-first, the frozen module takes precedence if its directory is on the path', async () => {
    const python = await freeze(['--precedence', 'frozen-first']);
    expect(await found(python, [shadow])).toEqual([json, join(app, 'helper.py')]);
    // The directory that `helper` was frozen from is not on the path: what is there is taken.
    const code = 'import helper, sys; print(helper.__file__, "_flashfreeze" in sys.modules)';
    const done = await run(python, ['-B', '-c', code], {environment: {PYTHONPATH: shadow}});
    expect(done.stdout).toContain(join(shadow, 'helper.py'));
  });
});

test('an unknown rule is an error that lists the choices', async () => {
  const {stderr, exitCode} = await flashfreezeJson([
    'relink',
    '--python',
    newest,
    '--out',
    'x',
    '--precedence',
    'first',
  ]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/error\[USAGE\].*frozen-first/);
});
