/** C that is compiled on an engine that exists, by `--cc 'recc gcc'`: buildbox executes what recc sends through the Remote Execution API. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {runInRoot} from '../../support/debian-root.js';
import {startProxy, type Proxy} from '../support/api-version-proxy.js';
import {unpackPackage} from '../support/bazel.js';
import {buildboxRoot, EXECUTION, startCasd, type Casd} from '../support/buildbox.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(15 * 60_000);

const root = await buildboxRoot(); // says why, where it cannot be had

describeWith(root, 'recc and buildbox')('recc, isolated by bubblewrap', () => {
  const folder = temporaryDirectory('recc');
  // Installed for all, outside of every clone.
  const installed = join(folder, 'lib', 'flashfreeze');
  let casd: Casd;

  interface Graft {
    readonly text: string;
    /** What reached the engine. */
    readonly traffic: Proxy['traffic'];
  }
  let first: Graft;
  let second: Graft;

  /** Makes a graft in a clone of a project, with a build directory and a cache of its own. */
  async function graft(name: string): Promise<Graft> {
    const clone = join(folder, name);
    const proxy = await startProxy(casd.url);
    mkdirSync(join(clone, '.recc'), {recursive: true});
    const settings = [
      `server=${proxy.url.replace('grpc:', 'http:')}`,
      // What lies below the root of the project has relative paths in its actions, and nothing else is sent.
      `project_root=${clone}`,
      `prefix_map=${installed}=${clone}/flashfreeze`,
    ];
    writeFileSync(join(clone, '.recc', 'recc.conf'), settings.map((line) => `${line}\n`).join(''));
    const words = ['relink', '--python', '/usr/bin/python3.14', '--method', 'graft', '--cc', 'recc gcc'];
    const places = ['--build-dir', 'build', '--cache-dir', 'cache', '--out', 'python', '--module', 'json'];
    const question = 'import json, _flashfreeze as f; print(f.is_static(json.loads.__code__))';
    const line = `node '${join(installed, 'bin', 'flashfreeze.mjs')}' "$@"; ./python -c '${question}'`;
    const done = await runInRoot(root ?? '', ['sh', '-ec', line, 'sh', ...words, ...places], {
      binds: {[folder]: 'write'},
      environment: {HOME: clone},
      cwd: clone,
    });
    await proxy.stop();
    const text = done.ok ? `${done.value.stdout}${done.value.stderr}` : done.failure.message;
    return {text, traffic: proxy.traffic};
  }
  const calls = ({traffic}: Graft, method: string): number => traffic.get(method)?.calls ?? 0;

  beforeAll(async () => {
    casd = await startCasd(root ?? '', {words: EXECUTION});
    unpackPackage(installed);
    first = await graft('first');
    second = await graft('some where else');
  });
  afterAll(async () => {
    await casd.stop();
  });

  test('the engine compiles', () => {
    expect(first.text).toMatch(/^True$/m);
    expect(calls(first, 'Execute')).toBeGreaterThan(20);
  });

  test('another clone in another directory gets everything from its cache', () => {
    expect(second.text).toMatch(/^True$/m);
    expect(calls(second, 'GetActionResult')).toBe(calls(first, 'GetActionResult'));
    expect(calls(second, 'Execute')).toBe(0);
  });
});
