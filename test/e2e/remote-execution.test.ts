/** Bazel's example and test workspace on an engine that exists: buildbox executes their actions, through the Remote Execution API. */
import {createHash} from 'node:crypto';
import {cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {startProxy, type Proxy} from '../support/api-version-proxy.js';
import {bazelSession, unpackPackage, executed, processesOf, type Answer} from '../support/bazel.js';
import {buildboxRoot, EXECUTION, startCasd, type Casd} from '../support/buildbox.js';
import {describeWith} from '../support/with.js';
import {CACHE} from '../../support/rig.js';

jest.setTimeout(15 * 60_000);

const root = await buildboxRoot(); // says why, where it cannot be had

/** What a build has made, with its digest, by the path below bazel-bin. Files of arguments are written for local actions only. */
function products(workspace: string): readonly string[] {
  const bin = join(workspace, 'bazel-bin');
  return readdirSync(bin, {recursive: true, encoding: 'utf8'})
    .filter((name) => !/\.runfiles|\.params$/.test(name) && statSync(join(bin, name)).isFile())
    .map((name) => {
      const digest = createHash('sha256').update(readFileSync(join(bin, name)));
      return `${name} ${digest.digest('hex')}`;
    })
    .sort();
}

describeWith(root, 'Bazel 7 with buildbox')('buildbox, isolated by bubblewrap', () => {
  const folder = join(CACHE, 'remote-execution');
  const packages = {first: 'first', other: 'some where else', local: 'local'};
  const workspaceOf = (name: keyof typeof packages): string =>
    join(folder, packages[name], 'examples', 'bazel-workspace');
  const logOf = (name: string): string => join(folder, `${name}.json`);
  /** The engine's address, of one proxy for each build. */
  const proxies: Record<string, Proxy> = {};
  let casd: Casd;
  let restarted: Promise<void> | undefined;
  let answers: ReadonlyMap<string, Answer>;

  const start = (options: {port?: number} = {}): Promise<Casd> =>
    startCasd(root ?? '', {store: join(folder, 'engine', 'store'), words: EXECUTION, ...options});

  /** Kills the engine, whose actions end with it, and starts it again. */
  async function restart(): Promise<void> {
    const {port} = new URL(casd.url);
    await casd.kill();
    casd = await start({port: Number(port)});
  }

  beforeAll(async () => {
    rmSync(folder, {recursive: true, force: true});
    mkdirSync(join(folder, 'engine'), {recursive: true});
    unpackPackage(join(folder, packages.first));
    writeFileSync(
      join(workspaceOf('first'), 'odd', 'BUILD.bazel'),
      `genrule(name = "undeclared", outs = ["undeclared.txt"], cmd = "cat '${folder}/first/package.json' >$@", tags = ["manual"])\n`,
      {flag: 'a'},
    );
    for (const name of [packages.other, packages.local])
      cpSync(join(folder, packages.first), join(folder, name), {recursive: true});
    casd = await start();
    for (const name of ['remote', 'undeclared', 'hits', 'edit']) proxies[name] = await startProxy(casd.url);
    let executions = 0;
    proxies['killed'] = await startProxy(casd.url, (method) => {
      if (method === 'Execute' && ++executions === 25) restarted = restart();
    });

    const targets = `//tally:all //probe //odd:all "//grafted:where's it" //bad:generated //traced:few`;
    const build = (name: string, base: string, words: string): string =>
      `bazel '${join(folder, base)}' build ${words} --execution_log_json_file='${logOf(name)}'`;
    const onEngine = (name: string, base: string, words: string): string =>
      build(
        name,
        base,
        `${words} --remote_executor=${proxies[name]?.url ?? ''} --spawn_strategy=remote --remote_download_all`,
      );
    const tally = 'bazel-bin/tally/tally tally/numbers.csv';
    const program = `bazel-bin/traced/few traced/numbers.csv && ${tally}`;
    const undeclared = '//odd:undeclared';
    const stop = (base: string): string => `command bazel --output_base='${join(folder, base)}' shutdown`;
    answers = await bazelSession(root ?? '', 'forky', folder, workspaceOf('first'), [
      {
        name: 'python',
        line: `sed -i 's/"python3"/"python3.14"/' '${folder}'/*/examples/*/MODULE.bazel`,
      },
      {name: 'remote', line: `${onEngine('remote', 'base', targets)} && ${program}`},
      {name: 'undeclared', line: onEngine('undeclared', 'base', undeclared)},
      {name: 'undeclared-local', line: build('undeclared-local', 'base', undeclared)},
      {
        name: 'hits',
        line: `cd '${workspaceOf('other')}' && ${onEngine('hits', 'other base', targets)} && ${program} && ${stop('other base')}`,
      },
      {
        name: 'local',
        line: `cd '${workspaceOf('local')}' && ${build('local', 'local base', targets)} && ${program} && ${stop('local base')}`,
      },
      {name: 'sed', line: `sed -i 's/as JSON/for programs/' tally/cli.py`},
      {
        name: 'edit',
        line: `${onEngine('edit', 'base', '//tally')} && bazel-bin/tally/tally --help`,
      },
      // Everything anew, whatever the engine has.
      {name: 'clean', line: `bazel '${join(folder, 'base')}' clean`},
      {
        name: 'killed',
        line: `${onEngine('killed', 'base', `//tally --noremote_accept_cached --remote_retries=20`)} && ${tally} && ${stop('base')}`,
      },
    ]);
    await restarted;
  });
  afterAll(async () => {
    await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
    await casd.stop();
    rmSync(folder, {recursive: true, force: true});
  });

  const works = {exitCode: 0, text: expect.stringContaining('mean 2023.5')};
  const runners = (name: string): string[] => [...new Set(executed(logOf(name)).map(({runner}) => runner))];

  test('executes every action, and the program runs', () => {
    expect(answers.get('remote')).toMatchObject(works);
    expect(processesOf(answers.get('remote'))).toMatch(/^\d+ internal, \d+ remote$/);
    expect(executed(logOf('remote')).length).toBeGreaterThan(100);
    expect(runners('remote')).toEqual(['remote']);
  });

  test('has no file there that is not declared', () => {
    expect(answers.get('undeclared')?.exitCode).toBe(1);
    expect(answers.get('undeclared')?.text).toContain('package.json: No such file or directory');
    expect(answers.get('undeclared-local')?.exitCode).toBe(0);
  });

  test('another output base of another directory gets everything from its cache', () => {
    expect(answers.get('hits')).toMatchObject(works);
    expect(processesOf(answers.get('hits'))).toMatch(/^\d+ remote cache hit, \d+ internal$/);
    expect(executed(logOf('hits')).length).toBe(executed(logOf('remote')).length);
    expect(proxies['hits']?.traffic.has('Execute')).toBe(false);
  });

  test('local actions make the same bytes', () => {
    expect(answers.get('local')).toMatchObject(works);
    expect(runners('local')).toEqual(['linux-sandbox']);
    const remote = products(workspaceOf('other'));
    expect(remote.length).toBeGreaterThan(60);
    expect(products(workspaceOf('local'))).toEqual(remote);
  });

  test('may be killed and started again in the middle of a build', () => {
    expect(restarted).toBeDefined();
    expect(answers.get('killed')).toMatchObject(works);
    expect(runners('killed')).toEqual(['remote']);
    expect(executed(logOf('killed')).length).toBeGreaterThan(40);
  });

  test('executes the actions of one module after an edit', () => {
    expect(answers.get('edit')).toMatchObject({exitCode: 0, text: expect.stringContaining('for programs')});
    const actions = executed(logOf('edit')).map(({mnemonic, runner}) => [mnemonic, runner]);
    expect(actions.sort()).toEqual(
      ['FreezeCheck', 'FreezeLink', 'FreezeModule'].map((mnemonic) => [mnemonic, 'remote']),
    );
  });
});
