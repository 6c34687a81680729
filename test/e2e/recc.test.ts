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
  // What a clone of a project has: the package, and a build directory and cache of its own.
  const clone = temporaryDirectory('recc');
  let casd: Casd;
  let proxy: Proxy;
  let text = '';

  beforeAll(async () => {
    casd = await startCasd(root ?? '', {words: EXECUTION});
    proxy = await startProxy(casd.url);
    const place = join(clone, 'node_modules', 'flashfreeze');
    unpackPackage(place);
    mkdirSync(join(clone, '.recc'));
    // What lies below the root of the project has relative paths in its actions.
    const settings = [`server=${proxy.url.replace('grpc:', 'http:')}`, `project_root=${clone}`];
    writeFileSync(join(clone, '.recc', 'recc.conf'), settings.map((line) => `${line}\n`).join(''));
    const words = ['relink', '--python', '/usr/bin/python3.14', '--method', 'graft', '--cc', 'recc gcc'];
    const places = ['--build-dir', 'build', '--cache-dir', 'cache', '--out', 'python', '--module', 'json'];
    const question = 'import json, _flashfreeze as f; print(f.is_static(json.loads.__code__))';
    const line = `node '${join(place, 'bin', 'flashfreeze.mjs')}' "$@"; ./python -c '${question}'`;
    const done = await runInRoot(root ?? '', ['sh', '-ec', line, 'sh', ...words, ...places], {
      binds: {[clone]: 'write'},
      environment: {HOME: clone},
      cwd: clone,
    });
    text = done.ok ? `${done.value.stdout}${done.value.stderr}` : done.failure.message;
  });
  afterAll(async () => {
    await proxy.stop();
    await casd.stop();
  });

  test('the engine compiles', () => {
    expect(text).toMatch(/^True$/m);
    expect(proxy.traffic.get('Execute')?.calls).toBeGreaterThan(20);
  });
});
