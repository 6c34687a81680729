/** Bazel's example on an engine that exists: buildbox executes its actions, through the Remote Execution API. */
import {createHash} from 'node:crypto';
import {cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {type Proxy, startProxy} from '../support/api-version-proxy.js';
import {type Answer, bazelSession, copyPackage} from '../support/bazel.js';
import {buildboxRoot, startCasd, type Casd} from '../support/buildbox.js';
import {describeWith} from '../support/with.js';
import {CACHE} from '../../support/rig.js';

jest.setTimeout(30 * 60_000);

const root = await buildboxRoot(); // says why, where it cannot be had

/** What a build has made, with its digests, by the path below bazel-bin. */
function products(workspace: string): readonly string[] {
  const bin = join(workspace, 'bazel-bin');
  return readdirSync(bin, {recursive: true, encoding: 'utf8'})
    .filter((name) => !name.includes('.runfiles') && statSync(join(bin, name)).isFile())
    .filter((name) => !/\.params$|MANIFEST$|\.repo_mapping$/.test(name))
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(bin, name)))
          .digest('hex')}`,
    )
    .sort();
}

describeWith(root, 'Bazel 7 with buildbox')('the example on a remote engine', () => {
  const folder = join(CACHE, 'remote-execution');
  const workspaces = ['first', 'second', 'third'].map((name) =>
    join(folder, name, 'examples', 'bazel-workspace'),
  );
  let casd: Casd;
  let proxy: Proxy;
  let answers: ReadonlyMap<string, Answer>;

  beforeAll(async () => {
    rmSync(folder, {recursive: true, force: true});
    mkdirSync(join(folder, 'engine'), {recursive: true});
    copyPackage(join(folder, 'first'));
    for (const name of ['second', 'third'])
      cpSync(join(folder, 'first'), join(folder, name), {recursive: true});
    const words = ['--buildbox-run=/usr/bin/buildbox-run-hosttools', '--jobs=2'];
    casd = await startCasd(root ?? '', {store: join(folder, 'engine', 'store'), words});
    proxy = await startProxy(casd.url);
    const engine = `--remote_executor=${proxy.url} --spawn_strategy=remote --remote_download_all --remote_timeout=600`;
    const build = (base: string, place: string | undefined, flags: string): string =>
      `cd '${place}' && bazel '${join(folder, base)}' build //tally:all ${flags} && bazel-bin/tally/tally tally/numbers.csv`;
    const stop = (base: string): string => `command bazel --output_base='${join(folder, base)}' shutdown`;
    answers = await bazelSession(root ?? '', 'forky', folder, workspaces[0] ?? '', [
      {
        name: 'python',
        line: `sed -i 's/"python3"/"python3.14"/' '${folder}'/*/examples/*/MODULE.bazel`,
      },
      {name: 'remote', line: build('base', workspaces[0], engine)},
      {name: 'stop', line: stop('base')},
      {name: 'hits', line: build('other base', workspaces[1], engine)},
      {name: 'stop other', line: stop('other base')},
      {name: 'local', line: build('local base', workspaces[2], '')},
      {name: 'stop local', line: stop('local base')},
    ]);
  });
  afterAll(async () => {
    await proxy.stop();
    await casd.stop();
    rmSync(folder, {recursive: true, force: true});
  });

  /** What Bazel says of its actions: `12 internal, 170 remote`. */
  const processes = (name: string): string =>
    /INFO: \d+ process(?:es)?: (.*)\./.exec(answers.get(name)?.text ?? '')?.[1] ??
    answers.get(name)?.text ??
    '';

  test('executes every action there, and the program runs', () => {
    expect(answers.get('remote')).toMatchObject({exitCode: 0, text: expect.stringContaining('mean 2023.5')});
    expect(processes('remote')).toMatch(/^(\d+ internal, )?\d+ remote$/);
  });

  test('another output base of another directory gets everything from its cache', () => {
    expect(answers.get('hits')).toMatchObject({exitCode: 0, text: expect.stringContaining('mean 2023.5')});
    expect(processes('hits')).toMatch(/^\d+ remote cache hit(, \d+ internal)?$/);
  });

  test('local actions make the same bytes', () => {
    expect(answers.get('local')).toMatchObject({exitCode: 0, text: expect.stringContaining('mean 2023.5')});
    expect(processes('local')).toMatch(/^(\d+ internal, )?\d+ linux-sandbox$/);
    const remote = products(workspaces[0] ?? '');
    expect(remote.length).toBeGreaterThan(100);
    expect(products(workspaces[2] ?? '')).toEqual(remote);
  });
});
