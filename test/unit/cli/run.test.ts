import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {benchTable, ratiosOf} from '../../../src/cli/bench-table.js';
import {checkNode} from '../../../src/inspect/diagnosis.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {cli, objects} from './rig.js';

let root: string;
beforeAll(() => {
  root = temporaryDirectory();
});

const NO_ACTIONS = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};

describe('errors', () => {
  test('go to stderr with code and hint; stdout stays empty', async () => {
    expect(await cli(['build', '--sorce', 'x'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'flashfreeze: error[USAGE]: unknown option --sorce for build\nhint: did you mean --source?\n',
    });
  });

  test('with --json end in the summary, though nothing was run', async () => {
    const {exitCode, stdout} = await cli(['biuld', '--json']);
    expect(exitCode).toBe(2);
    expect(objects(stdout).map(({type}) => type)).toEqual(['command-started', 'error', 'summary']);
    expect(objects(stdout).at(-1)).toMatchObject({
      ...{ok: false, command: 'biuld', python: null, modules: 0, output: null, stage1: null, sha256: null},
      ...{actions: NO_ACTIONS, executed: []},
    });
  });

  test('with --json --quiet print only the error text', async () => {
    const {stdout, stderr} = await cli(['build', '--json', '--quiet'], {cwd: root});
    expect(stderr).toMatch(/^flashfreeze: error\[USAGE\]: build needs --source DIR\nhint: .*\n$/);
    expect(objects(stdout).at(-1)).toMatchObject({type: 'summary', ok: false, command: 'build'});
  });

  test.each([
    [['build', '--source', 'nowhere', '--build-dir', 'b'], 'SOURCE_TREE', 2],
    [['build', '--source', '.', '--build-dir', 'b'], 'SOURCE_TREE', 2],
    [['discover', '--source', 'nowhere', '--build-dir', 'b'], 'SOURCE_TREE', 2],
    [['regen', '--config', 'nowhere.json'], 'CONFIG', 2],
    [['relink'], 'USAGE', 2],
    [['relink', '--python', 'python3'], 'USAGE', 2],
    [['overlay', '--out', 'x'], 'USAGE', 2],
    [['relink', '--python', 'nowhere', '--out', 'x', '--cache-dir', 'c'], 'PYTHON', 2],
    [['overlay', '--python', './nowhere', '--out', 'x', '--cache-dir', 'c'], 'PYTHON', 2],
    [['relink', '--python', '/bin/false', '--out', 'x', '--cache-dir', 'c'], 'PYTHON', 2],
    [['discover', '--python', '/bin/false', '--cache-dir', 'c'], 'PYTHON', 2],
    [['bench', '--python', '/bin/false', '--out', 'nothing', '--cache-dir', 'c'], 'BENCH', 1],
    [['verify'], 'USAGE', 2],
    [['bench'], 'USAGE', 2],
    [['verify', '--images', 'nowhere'], 'PYTHON', 2],
    [['doctor', 'nowhere'], 'PYTHON', 2],
    [['doctor', '/bin/false'], 'SMOKE', 1],
    [['cache', 'clear', '--dry-run', '--cache-dir', 'c'], 'USAGE', 2],
    [['cache', 'stats', '--cache-dir', '/dev/null/cache'], 'CACHE', 1],
  ])('%j: %s', async (argv, code, expected) => {
    const {exitCode, stderr} = await cli(argv, {cwd: root, environment: {PATH: '/usr/bin:/bin'}});
    expect(stderr).toContain(`flashfreeze: error[${code}]: `);
    expect(exitCode).toBe(expected);
  });

  test('a configuration file gives what the command line does not', async () => {
    const folder = join(root, 'configured');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'flashfreeze.config.json'),
      '{"source": "src", "buildDir": "b", "stdlib": true}',
    );
    const {stderr} = await cli(['build'], {cwd: folder});
    expect(stderr).toBe(`flashfreeze: error[SOURCE_TREE]: ${join(folder, 'src')}: no such directory\n`);
  });
});

describe('cache', () => {
  const cache = (...argv: string[]) => cli(['cache', ...argv, '--cache-dir', 'cache'], {cwd: root});

  test('shows the content of an empty one, and keeps it', async () => {
    const place = join(root, 'cache');
    expect(await cache('stats')).toEqual({
      exitCode: 0,
      stdout: `${place}: 0 results with 0 files, 0 B\n`,
      stderr: '',
    });
    expect((await cache('gc')).stdout).toBe('removed 0 results and 0 files, 0 B; kept 0 results, 0 B\n');
    expect((await cache('clear')).stdout).toBe(`removed 0 results, 0 B, from ${place}\n`);
    const {stdout} = await cache('stats', '--json');
    expect(objects(stdout)[1]).toMatchObject({type: 'cache-stats', root: place, entries: 0, bytes: 0});
    expect(objects(stdout).at(-1)).toMatchObject({type: 'summary', ok: true, command: 'cache'});
  });

  test('verify names what is damaged and fails', async () => {
    const name = 'ab'.repeat(32);
    mkdirSync(join(root, 'cache/cas/ab'), {recursive: true});
    writeFileSync(join(root, 'cache/cas/ab', name), 'not what the name says');
    const {exitCode, stdout, stderr} = await cache('verify');
    expect(exitCode).toBe(3);
    expect(stdout).toContain(`damaged, removed: ${join(root, 'cache/cas/ab', name)}\n`);
    expect(stderr).toContain('error[VERIFY]');
    expect((await cache('verify')).exitCode).toBe(0);
  });
});

describe('doctor', () => {
  test('reports what is missing, and its purpose', async () => {
    const {exitCode, stdout, stderr} = await cli(['doctor', '--cache-dir', 'c', '--json'], {
      cwd: root,
      environment: {PATH: root},
    });
    const checks = objects(stdout).filter(({type}) => type === 'check');
    expect(exitCode).toBe(1);
    expect(checks).toContainEqual(expect.objectContaining({name: 'Node.js', ok: true}));
    expect(checks).toContainEqual(expect.objectContaining({name: 'C compiler', ok: false, required: true}));
    expect(checks).toContainEqual(expect.objectContaining({name: 'valgrind', ok: false, required: false}));
    expect(stderr).toMatch(/error\[NO_COMPILER\]: this machine cannot build: C compiler is missing/);
  });

  test.each([
    ['20.19.0', true],
    ['20.18.9', false],
    ['22.0.0', true],
    ['18.20.0', false],
  ])('Node.js %s', (version, isEnough) => {
    expect(checkNode(version, '20.19').found !== undefined).toBe(isEnough);
  });
});

describe('measurements', () => {
  const row = {
    ...{command: '-c pass', stage1Ms: 12.345, stage2Ms: 6.1725, spreadMs: 0.1, wall: 0.5},
    ...{stage1Faults: 1, stage2Faults: 1, stage1Instructions: null, stage2Instructions: null},
    instructions: null,
    conditions: {},
  };
  const report = {python: '3.13.15', commands: [row, {...row, command: '-V', instructions: 0.25}]};

  test('are a table', () => {
    expect(benchTable(report).map(({text}) => text)).toEqual([
      '          stage 1  stage 2       +-    time  instructions',
      '-c pass  12.35 ms  6.17 ms  0.10 ms  50.0 %',
      '-V       12.35 ms  6.17 ms  0.10 ms  50.0 %        25.0 %',
    ]);
    expect(benchTable(report).map(({record}) => record?.type)).toEqual([undefined, 'bench', 'bench']);
  });

  test('of instructions have a column where there are any', () => {
    expect(benchTable({...report, commands: [row]}).map(({text}) => text)).toEqual([
      '          stage 1  stage 2       +-    time',
      '-c pass  12.35 ms  6.17 ms  0.10 ms  50.0 %',
    ]);
  });

  test('of other conditions have columns of their own', () => {
    const conditions = {'no-bytecode': {stage1Ms: 30, stage2Ms: 6, wall: 0.2}};
    const cold = {stage1Ms: 50, stage2Ms: 40, wall: 0.8};
    const commands = [
      {...row, conditions},
      {...row, command: '-V', conditions: {...conditions, cold}},
    ];
    expect(benchTable({...report, commands}).map(({text}) => text)).toEqual([
      '          stage 1  stage 2       +-    time  no .pyc    cold',
      '-c pass  12.35 ms  6.17 ms  0.10 ms  50.0 %   20.0 %',
      '-V       12.35 ms  6.17 ms  0.10 ms  50.0 %   20.0 %  80.0 %',
    ]);
  });

  test('are ratios in the summary', () => {
    expect(ratiosOf(report)).toEqual({
      '-c pass': {wall: 0.5, instructions: null},
      '-V': {wall: 0.5, instructions: 0.25},
    });
  });
});

test('--version is one line, wherever it stands', async () => {
  for (const argv of [['--version'], ['build', '--version']]) {
    expect(await cli(argv)).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  }
});
