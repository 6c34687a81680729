import {writeFileSync} from 'node:fs';
import {describe, expect, jest, test} from '@jest/globals';
import {BASE_MS} from '../../../../src/cache/remote/waiting.js';
import {digestOf} from '../../../../src/model/digest.js';
import {holdTime} from '../../../support/fake-time.js';
import {eventually} from '../../../support/processes.js';
import {actualOutputs, expectedOutputs} from '../../engine/toys.js';
import {buildOn, remoteOf} from './rig.js';
import {PATIENCE_MS, expectRight, filledServer} from './scene.js';

jest.setTimeout(60_000);

const scene = filledServer();

describe('a server that', () => {
  test('is unreachable costs one warning', async () => {
    await scene.server.stop();
    const built = await buildOn(scene.taker, {url: scene.server.url, upload: true});
    expectRight(scene, built);
    expect(built.warnings).toEqual([
      `the remote cache ${scene.server.url} is not used for the rest of this run: the connection was refused`,
    ]);
  });

  test.each([
    [
      'is slow with every response, more than two thirds of the patience, is not used after a while',
      28_000,
      false,
    ],
    ['is a little faster than that is used on', 26_000, true],
  ])('%s', async (_, ms, isUsed) => {
    holdTime('performance');
    scene.server.mischief = (_request, response) => {
      jest.advanceTimersByTime(ms);
      response.writeHead(404).end();
      return true;
    };
    const {remote, warnings} = await remoteOf({url: scene.server.url, patienceMs: 40_000, waitingMs: 1e9});
    for (let index = 0; index < 60; index += 1) await remote.get(digestOf(`no such key ${index}`), '');
    const slow = `the remote cache ${scene.server.url} is not used for the rest of this run: it is too slow`;
    expect(warnings()).toEqual(isUsed ? [] : [slow]);
    scene.server.requests.length = 0;
    expect(await remote.get(digestOf('another'), '')).toBeUndefined();
    expect(scene.server.requests.length).toBe(isUsed ? 1 : 0);
  });

  test('takes two seconds for each answer is not waited for longer than a few seconds in all', async () => {
    holdTime('performance');
    let asked = 0;
    scene.server.mischief = ({path}, response) => {
      asked += 1;
      // None of these is slow by itself.
      jest.advanceTimersByTime(1900);
      const kept = scene.server.kept.get(path);
      if (kept === undefined) response.writeHead(404).end();
      else response.end(kept);
      return true;
    };
    const built = await buildOn(scene.taker, {url: scene.server.url, patienceMs: 60_000, waitingMs: BASE_MS});
    expect(built.result.ok).toBe(true);
    expect(actualOutputs(scene.taker.toy)).toEqual(expectedOutputs(scene.taker.toy));
    expect(asked).toBeLessThan(5);
    expect(built.warnings).toEqual([
      expect.stringMatching(/is not used for the rest of this run: it is too slow \([\d.]+ s of waiting\)$/),
    ]);
  });

  test('is far away, and answers many at a time, is used to the end', async () => {
    holdTime('performance');
    scene.server.mischief = (_, response) => {
      jest.advanceTimersByTime(10);
      response.writeHead(404).end();
      return true;
    };
    const {remote, warnings} = await remoteOf({url: scene.server.url, waitingMs: 100});
    for (let index = 0; index < 100; index += 1) await remote.get(digestOf(`no such key ${index}`), '');
    expect([scene.server.requests.length, warnings()]).toEqual([100, []]);
  });

  test('does not answer any more is left when the time is used up, whatever its time-out', async () => {
    scene.server.mischief = ({path}) => path.startsWith('cas/');
    const built = await buildOn(scene.taker, {url: scene.server.url, patienceMs: 3_600_000, waitingMs: 500});
    expectRight(scene, built);
    expect(built.counts).toMatchObject({executed: 4});
  });

  test('takes uploads slowly does not keep a finished build waiting', async () => {
    scene.server.kept.clear();
    scene.server.mischief = ({method}) => method === 'PUT';
    holdTime('performance', 'setTimeout', 'clearTimeout');
    const {remote, warnings} = await remoteOf({url: scene.server.url, upload: true, patienceMs: 3_600_000});
    const file = `${scene.folder}/upload`;
    writeFileSync(file, 'content');
    const outputs = [{name: 'o', digest: digestOf('content'), size: 7, executable: false}];
    remote.offer(digestOf('record'), {keyRecord: 'record', outputs}, {o: file});
    expect(await eventually(() => scene.server.requests.some((line) => line.startsWith('PUT')))).toBe(true);
    const finished = remote.finish();
    jest.advanceTimersByTime(20_000);
    await finished;
    expect(warnings()).toEqual([expect.stringContaining('gets no more uploads in this run: it is too slow')]);
  });

  test('hangs during an upload does not delay the build', async () => {
    scene.server.kept.clear();
    scene.server.mischief = ({method}) => method === 'PUT';
    const built = await buildOn(scene.taker, {url: scene.server.url, upload: true, patienceMs: PATIENCE_MS});
    expectRight(scene, built);
    expect(built.warnings.join()).toContain('the request timed out');
  });
});

test('an interrupted build does not wait for a server that hangs, and does not warn about it', async () => {
  const controller = new AbortController();
  scene.server.mischief = () => {
    controller.abort();
    return true;
  };
  const {signal} = controller;
  // If it waited, this test would not end in time.
  const built = await buildOn(scene.taker, {url: scene.server.url, signal, patienceMs: 3_600_000}, {signal});
  expect(built.result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
  expect(built.warnings).toEqual([]);
});
