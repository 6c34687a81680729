import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {writeLastRun} from '../../../../src/engine/records/last-run.js';
import {defaultBuildDir} from '../../../../src/pipeline/default-build-dir.js';
import type {ActionId} from '../../../../src/model/action.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {build, makeToy, type Toy} from '../../engine/toys.js';
import {cli, objects} from '../rig.js';

// The first command loads all of the code, which takes its time on a busy machine.
jest.setTimeout(60_000);
let root: string;
let toy: Toy;
beforeAll(async () => {
  root = temporaryDirectory();
  toy = await makeToy(root, {a: 'A1\n', b: 'B1\n'});
  await build(toy);
  writeFileSync(join(toy.sourceDir, 'b'), 'B2\n');
  await build(toy);
});

const run = (...argv: string[]) =>
  cli([...argv, '--build-dir', toy.buildDir], {cwd: root, environment: {PATH: '/nowhere'}});

describe('explain', () => {
  test('tells what the last build did, and why', async () => {
    const {exitCode, stdout, stderr} = await run('explain');
    expect([exitCode, stderr]).toEqual([0, '']);
    const [head, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toMatch(
      /^last run at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, .*: 2 actions ran, 1 were up to date$/,
    );
    expect(lines).toEqual([
      'cc:b ran: input b changed',
      'link:program ran: input cc:b changed; because b changed',
    ]);
  });

  test('follows the causes of an action to their roots', async () => {
    expect((await run('explain', 'link:program')).stdout).toBe(
      'link:program ran: input cc:b changed; because b changed\n  cc:b ran: input b changed\n',
    );
    expect((await run('explain', 'b')).stdout).toBe('cc:b ran: input b changed\n');
    expect((await run('explain', 'a')).stdout).toMatch(
      /^cc:a was up to date; before, it ran: first build \(in the run at .*\)\n$/,
    );
  });

  test('reports the same as JSON', async () => {
    const overview = objects((await run('explain', '--json')).stdout);
    expect(overview.slice(1, -1)).toEqual([
      expect.objectContaining({type: 'run', done: 2, fresh: 1}),
      expect.objectContaining({type: 'explanation', id: 'cc:b', outcome: 'executed', roots: []}),
      expect.objectContaining({id: 'link:program', roots: ['b changed'], sameOutputs: false}),
    ]);
    const [, explanation] = objects((await run('explain', 'program', '--json')).stdout);
    expect(explanation).toMatchObject({
      id: 'link:program',
      causes: [{text: 'input cc:b changed', producer: 'cc:b'}],
      because: [{id: 'cc:b', causes: [{text: 'input b changed'}], because: []}],
    });
  });

  test.each([
    [['explain', 'progam'], 'NO_MODULE', 'did you mean program?'],
    [['explain', 'cc:c'], 'NO_MODULE', 'did you mean cc:b?'],
    [['graph', 'png'], 'USAGE', 'expected one of dot, json, svg'],
    [['graph', 'svg'], 'NO_TOOL', 'install it'],
    [['graph', '--module', 'c'], 'NO_MODULE', 'no module c'],
  ])('%j fails with %s', async (argv, code, hint) => {
    const {exitCode, stdout, stderr} = await run(...argv);
    expect(exitCode).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(`error[${code}]`);
    expect(stderr).toContain(hint);
  });

  test('needs a build directory with a build', async () => {
    expect((await cli(['explain'], {cwd: root})).stderr).toContain(
      'error[USAGE]: explain needs --build-dir DIR, or --python EXE and --out PATH\n',
    );
    const nothing = await cli(['explain', '--build-dir', 'empty'], {cwd: root});
    expect([nothing.exitCode, nothing.stderr]).toEqual([
      2,
      expect.stringContaining('error[USAGE]: no build of '),
    ]);
  });

  test('finds the directories that relink and overlay make by themselves, the newer one', async () => {
    const cacheDir = join(root, 'cache');
    const given = {python: 'python3', out: join(root, 'out')};
    const explain = () =>
      cli(['explain', '--python', 'python3', '--out', 'out', '--cache-dir', 'cache'], {cwd: root});
    expect((await explain()).exitCode).toBe(2);
    for (const [kind, year] of [
      ['overlay', 2025],
      ['relink', 2024],
    ] as const) {
      const folder = defaultBuildDir(kind, given, cacheDir);
      mkdirSync(folder, {recursive: true});
      const id: ActionId = `link:${kind}`;
      const why = {causes: [{text: 'forced'}], causeCount: 1, roots: [], rootCount: 0};
      const account = {run: `${year}`, outcome: 'executed' as const, ...why};
      await writeLastRun(folder, {
        run: `${year}-06-01`,
        ms: 1,
        fresh: [],
        done: [{id, ms: 1, account, needs: []}],
      });
    }
    expect((await explain()).stdout).toContain('link:overlay ran: forced');
  });

  test('groups many actions, and lists all of them with --verbose', async () => {
    const folder = join(root, 'many');
    mkdirSync(folder);
    const why = {causes: [{text: 'tool gcc changed'}], causeCount: 1, roots: [], rootCount: 0};
    const account = {run: '2025', outcome: 'executed' as const, ...why};
    const done = Array.from({length: 40}, (_, i) => ({id: `cc:m${i}` as const, ms: 1, account, needs: []}));
    await writeLastRun(folder, {run: '2025-06-01', ms: 1, fresh: [], done});
    const lines = async (...more: string[]) =>
      (await cli(['explain', '--build-dir', folder, ...more])).stdout.trimEnd().split('\n').slice(1);
    expect(await lines()).toEqual(['cc of 40 targets ran: tool gcc changed']);
    expect(await lines('--verbose')).toHaveLength(40);
  });
});

describe('graph', () => {
  const edges = [
    {from: 'cc:a', to: 'link:program'},
    {from: 'cc:b', to: 'link:program'},
  ];

  test('is the last build, in the dot language', async () => {
    const {stdout} = await run('graph');
    expect(stdout).toMatch(/^digraph build \{\n[^]*\n\}\n$/);
    expect(stdout.match(/^ {2}"[^"]*" -> "[^"]*";$/gm)).toEqual([
      '  "cc:a" -> "link:program";',
      '  "cc:b" -> "link:program";',
    ]);
    expect(stdout).toContain('"cc:a" [label="cc:a", fillcolor="#eef1f5", tooltip="fresh: up to date"]');
  });

  test('is JSON, as a whole or one line for each node and edge', async () => {
    const whole = JSON.parse((await run('graph', 'json')).stdout) as {
      nodes: {id: string}[];
      edges: unknown[];
    };
    expect(whole.nodes.map(({id}) => id)).toEqual(['cc:a', 'cc:b', 'link:program']);
    expect(whole.edges).toEqual(edges);
    const lines = objects((await run('graph', '--json')).stdout);
    expect(lines.map(({type}) => type)).toEqual([
      ...['command-started', 'node', 'node', 'node', 'edge', 'edge', 'summary'],
    ]);
  });

  test('of a module has what it depends on and what depends on it', async () => {
    const {stdout} = await run('graph', 'json', '--module', 'a');
    expect(JSON.parse(stdout)).toMatchObject({
      nodes: [
        {id: 'cc:a', outcome: 'fresh', ms: null},
        {id: 'link:program', outcome: 'executed'},
      ],
      edges: [edges[0]],
    });
  });
});

describe('--trace-file and --report', () => {
  test('are written at the end of any run', async () => {
    const {exitCode} = await run('explain', '--trace-file', 't.json', '--report', 'r.html');
    expect(exitCode).toBe(0);
    const trace = JSON.parse(readFileSync(join(root, 't.json'), 'utf8')) as {traceEvents: unknown[]};
    expect(trace.traceEvents).toContainEqual(expect.objectContaining({ph: 'X', name: 'explain', cat: 'run'}));
    expect(readFileSync(join(root, 'r.html'), 'utf8')).toContain('<h1>flashfreeze explain</h1>');
  });

  test('that cannot be written make the run fail with an error', async () => {
    const {exitCode, stderr} = await run('explain', '--report', 'nowhere/r.html');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/error\[IO\]: cannot write the report .*: no such file/);
  });
});
