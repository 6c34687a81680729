import {rmSync} from 'node:fs';
import {describe, expect, test} from '@jest/globals';
import {layoutOf} from '../../../../src/cache/store-layout.js';
import {digestOf} from '../../../../src/model/digest.js';
import {actualOutputs, compiled, expectedOutputs} from '../../engine/toys.js';
import {buildOn, machine} from './rig.js';
import {filledServer} from './scene.js';

const scene = filledServer();

test('a server that lost the files of its results is a miss without a warning', async () => {
  for (const path of scene.server.kept.keys()) if (path.startsWith('cas/')) scene.server.kept.delete(path);
  const built = await buildOn(scene.taker, {url: scene.server.url});
  expect([built.warnings, built.counts['executed']]).toEqual([[], 4]);
  expect(actualOutputs(scene.taker.toy)).toEqual(expectedOutputs(scene.taker.toy));
});

describe('a temporary failure', () => {
  test('is a miss, and the server is still used', async () => {
    let requests = 0;
    scene.server.mischief = (_, response) => {
      requests += 1;
      if (requests !== 2) return false;
      response.writeHead(502).end();
      return true;
    };
    const built = await buildOn(scene.taker, {url: scene.server.url});
    expect(built.counts).toMatchObject({executed: 1, remote: 3});
    expect(built.warnings).toEqual([
      `the remote cache ${scene.server.url} sent an invalid response: it answers with HTTP 502`,
    ]);
  });
});

describe('one damaged file of many', () => {
  const blob = digestOf(compiled('B1\n'));

  test('is reported, rebuilt, and replaced by the next upload', async () => {
    scene.server.kept.set(`cas/${blob}`, Buffer.from('x'.repeat(compiled('B1\n').length)));
    const built = await buildOn(scene.taker, {url: scene.server.url, upload: true});
    expect(built.executed).toEqual(['cc:b']);
    expect(built.counts).toMatchObject({executed: 1, remote: 3});
    expect(built.warnings).toEqual([
      `the remote cache ${scene.server.url} has an entry at cas/${blob} that is not what its name says; it is ignored`,
    ]);
    expect(scene.server.kept.get(`cas/${blob}`)?.toString()).toBe(compiled('B1\n'));
    expect(scene.server.requests.filter((line) => line.startsWith('PUT'))).toEqual([`PUT cas/${blob}`]);
    const next = await buildOn(await machine(scene.folder, 'next'), {url: scene.server.url});
    expect(next.counts).toMatchObject({executed: 0, remote: 4});
  });

  test('that is lost is uploaded again, and the result that refers to it stays', async () => {
    scene.server.kept.delete(`cas/${blob}`);
    const results = [...scene.server.kept].filter(([path]) => path.startsWith('ac/'));
    const built = await buildOn(scene.taker, {url: scene.server.url, upload: true});
    expect([built.executed, built.warnings]).toEqual([['cc:b'], []]);
    expect(scene.server.kept.get(`cas/${blob}`)?.toString()).toBe(compiled('B1\n'));
    expect([...scene.server.kept].filter(([path]) => path.startsWith('ac/'))).toEqual(results);
  });

  test('is not requested if the local cache has it', async () => {
    await buildOn(scene.taker, {url: scene.server.url});
    // The result is gone from the store, its file is not.
    rmSync(layoutOf(scene.taker.storeDir).root + '/ac', {recursive: true});
    rmSync(scene.taker.toy.buildDir, {recursive: true});
    scene.server.requests.length = 0;
    expect((await buildOn(scene.taker, {url: scene.server.url})).counts).toMatchObject({remote: 4});
    expect(scene.server.requests.filter((line) => line.includes('cas/'))).toEqual([]);
  });
});
