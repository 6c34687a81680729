import {gzipSync} from 'node:zlib';
import {rmSync, writeFileSync} from 'node:fs';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {layoutOf} from '../../../../src/cache/store-layout.js';
import {digestOf} from '../../../../src/model/digest.js';
import {startCacheServer, type CacheServer, type Mischief} from '../../../support/cache-server.js';
import {holdTime} from '../../../support/fake-time.js';
import {eventually} from '../../../support/processes.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {actualOutputs, build, compiled, expectedOutputs, storeIn} from '../../engine/toys.js';
import {BASE_MS} from '../../../../src/cache/remote/waiting.js';
import {buildOn, machine, remoteOf, type Machine, type RemoteBuild} from './rig.js';

jest.setTimeout(60_000);

let folder: string;
let server: CacheServer;
let taker: Machine;
beforeEach(async () => {
  folder = temporaryDirectory();
  server = await startCacheServer();
  taker = await machine(folder, 'taker');
  await buildOn(await machine(folder, 'maker'), {url: server.url, upload: true});
  server.requests.length = 0;
});
afterEach(async () => {
  await server.stop();
});

/** How long these tests let the cache wait for a server that hangs. */
const PATIENCE_MS = 1000;
/** More than what four actions ask for and upload once. */
const MANY_REQUESTS = 24;

/** Whatever the server does: the build is right, after few requests, and a warning names the server. */
function expectRight(built: RemoteBuild): void {
  expect(built.result.ok).toBe(true);
  expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  // Each may take as long as the patience of the cache, so this is how long all may take.
  expect(server.requests.length).toBeLessThan(MANY_REQUESTS);
  expect(built.warnings.length).toBeGreaterThan(0);
  expect(built.warnings.length).toBeLessThan(4);
  expect(new Set(built.warnings).size).toBe(built.warnings.length);
  for (const warning of built.warnings) expect(warning).toContain(`the remote cache ${server.url}`);
}

/** The same mischief for all that the server has; what it does not have is told truly. */
const always =
  (
    part: 'ac' | 'cas' | '',
    act: (kept: Buffer, response: Parameters<Mischief>[1], path: string) => void,
  ): Mischief =>
  ({method, path, kept}, response) => {
    if (method !== 'GET' || kept === undefined || !path.startsWith(part)) return false;
    act(kept, response, path);
    return true;
  };

const GIGABYTES = Buffer.alloc(1 << 20);

/** Sends as long as somebody listens; the count of bytes that went is in `sent`. */
function flood(response: Parameters<Mischief>[1], sent: {bytes: number}): void {
  response.writeHead(200);
  const more = (): void => {
    if (response.destroyed) return;
    sent.bytes += GIGABYTES.length;
    response.write(GIGABYTES, () => setImmediate(more));
  };
  more();
}

describe('a server that', () => {
  test.each<[string, Mischief]>([
    [
      'has results cut short',
      always('ac', (kept, response) => void response.end(kept.subarray(0, kept.length / 2))),
    ],
    ['has empty results', always('ac', (_, response) => void response.end())],
    [
      'has noise for results',
      always('ac', (kept, response) => void response.end(Buffer.alloc(kept.length, 0xa5))),
    ],
    [
      'answers with a page for people',
      always('', (_, response) => {
        response.writeHead(200, {'content-type': 'text/html'}).end('<html><body>Please log in</body></html>');
      }),
    ],
    [
      'answers with JSON',
      always('', (_, response) => {
        response.writeHead(200, {'content-type': 'application/json'}).end('{"outputFiles":[]}');
      }),
    ],
    [
      'serves the result of another key',
      always('ac', (_, response, path) => {
        const other = [...server.kept.keys()].find((name) => name.startsWith('ac/') && name !== path);
        response.end(server.kept.get(other ?? ''));
      }),
    ],
    ['has files cut short', always('cas', (kept, response) => void response.end(kept.subarray(1)))],
    [
      'has files that are too long',
      always('cas', (kept, response) => void response.end(Buffer.concat([kept, kept]))),
    ],
    [
      'has other bytes in its files',
      always('cas', (kept, response) => void response.end(Buffer.alloc(kept.length, 120))),
    ],
    ['has empty files', always('cas', (_, response) => void response.end())],
    [
      'ends connections in the middle of a file',
      always('cas', (kept, response) => {
        response.writeHead(200, {'content-length': kept.length});
        response.write(kept.subarray(0, 3), () => setTimeout(() => response.destroy(), 20));
      }),
    ],
    ['ends connections in place of an answer', (_, response) => Boolean(response.destroy())],
    ['answers with HTTP 500', (_, response) => Boolean(response.writeHead(500).end('no'))],
    ['answers with HTTP 403', (_, response) => Boolean(response.writeHead(403).end())],
    ['answers with HTTP 206', always('', (kept, response) => void response.writeHead(206).end(kept))],
    ['redirects', (_, response) => Boolean(response.writeHead(302, {location: 'http://127.0.0.1:9/'}).end())],
    [
      'redirects to itself',
      ({path}, response) => Boolean(response.writeHead(307, {location: `/${path}`}).end()),
    ],
    [
      'speaks something else than HTTP',
      (_, response) => {
        response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n');
        return true;
      },
    ],
    ['never answers', () => true],
    [
      'begins an answer and never ends it',
      always('', (kept, response) => {
        response.writeHead(200, {'content-length': kept.length});
        response.write(kept.subarray(0, 1));
      }),
    ],
    [
      'sends a byte now and then',
      always('', (kept, response) => {
        response.writeHead(200, {'content-length': kept.length});
        let at = 0;
        const timer = setInterval(() => {
          if (response.destroyed || at >= kept.length) clearInterval(timer);
          else response.write(kept.subarray(at, (at += 1)));
        }, 200);
      }),
    ],
    [
      'sends headers without end',
      (_, response) => {
        response.socket?.write(`HTTP/1.1 200 OK\r\n${'x-more: and more\r\n'.repeat(20_000)}`);
        return true;
      },
    ],
    [
      'has forgotten what it said is there',
      always('cas', (_, response) => void response.writeHead(503).end()),
    ],
  ])('%s costs a warning, and the build is right', async (_, mischief) => {
    server.mischief = mischief;
    expectRight(await buildOn(taker, {url: server.url, patienceMs: PATIENCE_MS}));
    // Nothing of it stays in the store.
    const store = await storeIn(taker.storeDir);
    expect(await store.verify()).toMatchObject({damaged: [], incomplete: []});
    rmSync(taker.toy.buildDir, {recursive: true});
    await build(taker.toy, {store});
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });

  test.each<['ac' | 'cas']>([['ac'], ['cas']])('sends gigabytes from %s is cut off', async (part) => {
    const sent = {bytes: 0};
    server.mischief = always(part, (_, response) => {
      flood(response, sent);
    });
    expectRight(await buildOn(taker, {url: server.url, patienceMs: PATIENCE_MS}));
    // What the kernel's buffers hold comes on top of what was read.
    expect(sent.bytes).toBeLessThan(200 << 20);
  });

  test('compresses a gigabyte into a small response is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    server.mischief = always('', (_, response) => {
      response.writeHead(200, {'content-encoding': 'gzip', 'content-length': bomb.length}).end(bomb);
    });
    expectRight(await buildOn(taker, {url: server.url, patienceMs: PATIENCE_MS}));
  });

  test('lost the files of its results is a miss without a warning', async () => {
    for (const path of server.kept.keys()) if (path.startsWith('cas/')) server.kept.delete(path);
    const built = await buildOn(taker, {url: server.url});
    expect([built.warnings, built.counts['executed']]).toEqual([[], 4]);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });

  test('is unreachable costs one warning', async () => {
    await server.stop();
    const built = await buildOn(taker, {url: server.url, upload: true});
    expectRight(built);
    expect(built.warnings).toEqual([
      `the remote cache ${server.url} is not used for the rest of this run: the connection was refused`,
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
    server.mischief = (_request, response) => {
      jest.advanceTimersByTime(ms);
      response.writeHead(404).end();
      return true;
    };
    const {remote, warnings} = remoteOf({url: server.url, patienceMs: 40_000, waitingMs: 1e9});
    for (let index = 0; index < 60; index += 1) await remote.get(digestOf(`no such key ${index}`), '');
    const slow = `the remote cache ${server.url} is not used for the rest of this run: it is too slow`;
    expect(warnings()).toEqual(isUsed ? [] : [slow]);
    server.requests.length = 0;
    expect(await remote.get(digestOf('another'), '')).toBeUndefined();
    expect(server.requests.length).toBe(isUsed ? 1 : 0);
  });

  test('takes two seconds for each answer is not waited for longer than a few seconds in all', async () => {
    holdTime('performance');
    let asked = 0;
    server.mischief = ({path}, response) => {
      asked += 1;
      // None of these is slow by itself.
      jest.advanceTimersByTime(1900);
      const kept = server.kept.get(path);
      if (kept === undefined) response.writeHead(404).end();
      else response.end(kept);
      return true;
    };
    const built = await buildOn(taker, {url: server.url, patienceMs: 60_000, waitingMs: BASE_MS});
    expect(built.result.ok).toBe(true);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
    expect(asked).toBeLessThan(5);
    expect(built.warnings).toEqual([
      expect.stringMatching(/is not used for the rest of this run: it is too slow \([\d.]+ s of waiting\)$/),
    ]);
  });

  test('is far away, and answers many at a time, is used to the end', async () => {
    holdTime('performance');
    server.mischief = (_, response) => {
      jest.advanceTimersByTime(10);
      response.writeHead(404).end();
      return true;
    };
    const {remote, warnings} = remoteOf({url: server.url, waitingMs: 100});
    for (let index = 0; index < 100; index += 1) await remote.get(digestOf(`no such key ${index}`), '');
    expect([server.requests.length, warnings()]).toEqual([100, []]);
  });

  test('does not answer any more is left when the time is used up, whatever its time-out', async () => {
    server.mischief = ({path}) => path.startsWith('cas/');
    const built = await buildOn(taker, {url: server.url, patienceMs: 3_600_000, waitingMs: 500});
    expectRight(built);
    expect(built.counts).toMatchObject({executed: 4});
  });

  test('says that more comes than was asked for is not listened to', async () => {
    server.mischief = always('cas', (_, response) => {
      response.writeHead(200, {'content-length': 3e9}).flushHeaders();
    });
    // If it were, this test would not end in time.
    const built = await buildOn(taker, {url: server.url, patienceMs: 3_600_000, waitingMs: 1e9});
    expectRight(built);
  });

  test('has one large file with other bytes is not used any more', async () => {
    const size = 100 << 20;
    server.mischief = ({path}, response) => {
      if (!path.startsWith('cas/')) return false;
      response.writeHead(200, {'content-length': size});
      response.end(Buffer.alloc(size));
      return true;
    };
    const {remote, warnings} = remoteOf({url: server.url, patienceMs: 3_600_000, waitingMs: 1e9});
    const digest = digestOf('something else');
    const output = {name: 'o', digest, size, executable: false};
    expect(await remote.download(digestOf('key'), output, `${folder}/large`)).toEqual({
      ok: true,
      value: false,
    });
    expect(warnings()).toEqual([
      expect.stringContaining(`an entry at cas/${digest} that is not what its name says`),
      expect.stringContaining('is not used for the rest of this run'),
    ]);
    server.requests.length = 0;
    expect(await remote.get(digestOf('next'), '')).toBeUndefined();
    expect(server.requests).toEqual([]);
  });

  test('says that its results are larger than all that a cache holds is not asked for them', async () => {
    const {remote, warnings} = remoteOf({url: server.url});
    server.mischief = (_, response) => Boolean(response.writeHead(404).end());
    for (const name of 'abcdefghi') {
      const output = {name: 'o', digest: digestOf(name), size: 256 << 20, executable: false};
      expect(await remote.download(digestOf('key'), output, `${folder}/large`)).toEqual({
        ok: true,
        value: false,
      });
    }
    expect(server.requests).toHaveLength(7);
    expect(warnings().at(-1)).toMatch(/not used for the rest of this run: it has more than 2 GB for one run/);
  });

  test('takes uploads slowly does not keep a finished build waiting', async () => {
    server.kept.clear();
    server.mischief = ({method}) => method === 'PUT';
    holdTime('performance', 'setTimeout', 'clearTimeout');
    const {remote, warnings} = remoteOf({url: server.url, upload: true, patienceMs: 3_600_000});
    const file = `${folder}/upload`;
    writeFileSync(file, 'content');
    const outputs = [{name: 'o', digest: digestOf('content'), size: 7, executable: false}];
    remote.offer(digestOf('record'), {keyRecord: 'record', outputs}, {o: file});
    expect(await eventually(() => server.requests.some((line) => line.startsWith('PUT')))).toBe(true);
    const finished = remote.finish();
    jest.advanceTimersByTime(20_000);
    await finished;
    expect(warnings()).toEqual([expect.stringContaining('gets no more uploads in this run: it is too slow')]);
  });

  test('hangs during an upload does not delay the build', async () => {
    server.kept.clear();
    server.mischief = ({method}) => method === 'PUT';
    const built = await buildOn(taker, {url: server.url, upload: true, patienceMs: PATIENCE_MS});
    expectRight(built);
    expect(built.warnings.join()).toContain('the request timed out');
  });
});

describe('a temporary failure', () => {
  test('is a miss, and the server is still used', async () => {
    let requests = 0;
    server.mischief = (_, response) => {
      requests += 1;
      if (requests !== 2) return false;
      response.writeHead(502).end();
      return true;
    };
    const built = await buildOn(taker, {url: server.url});
    expect(built.counts).toMatchObject({executed: 1, remote: 3});
    expect(built.warnings).toEqual([
      `the remote cache ${server.url} sent an invalid response: it answers with HTTP 502`,
    ]);
  });
});

describe('one damaged file of many', () => {
  const blob = digestOf(compiled('B1\n'));

  test('is reported, rebuilt, and replaced by the next upload', async () => {
    server.kept.set(`cas/${blob}`, Buffer.from('x'.repeat(compiled('B1\n').length)));
    const built = await buildOn(taker, {url: server.url, upload: true});
    expect(built.executed).toEqual(['cc:b']);
    expect(built.counts).toMatchObject({executed: 1, remote: 3});
    expect(built.warnings).toEqual([
      `the remote cache ${server.url} has an entry at cas/${blob} that is not what its name says; it is ignored`,
    ]);
    expect(server.kept.get(`cas/${blob}`)?.toString()).toBe(compiled('B1\n'));
    expect(server.requests.filter((line) => line.startsWith('PUT'))).toEqual([`PUT cas/${blob}`]);
    const next = await buildOn(await machine(folder, 'next'), {url: server.url});
    expect(next.counts).toMatchObject({executed: 0, remote: 4});
  });

  test('that is lost is uploaded again, and the result that refers to it stays', async () => {
    server.kept.delete(`cas/${blob}`);
    const results = [...server.kept].filter(([path]) => path.startsWith('ac/'));
    const built = await buildOn(taker, {url: server.url, upload: true});
    expect([built.executed, built.warnings]).toEqual([['cc:b'], []]);
    expect(server.kept.get(`cas/${blob}`)?.toString()).toBe(compiled('B1\n'));
    expect([...server.kept].filter(([path]) => path.startsWith('ac/'))).toEqual(results);
  });

  test('is not requested if the local cache has it', async () => {
    await buildOn(taker, {url: server.url});
    // The result is gone from the store, its file is not.
    rmSync(layoutOf(taker.storeDir).root + '/ac', {recursive: true});
    rmSync(taker.toy.buildDir, {recursive: true});
    server.requests.length = 0;
    expect((await buildOn(taker, {url: server.url})).counts).toMatchObject({remote: 4});
    expect(server.requests.filter((line) => line.includes('cas/'))).toEqual([]);
  });
});

test('an interrupted build does not wait for a server that hangs, and does not warn about it', async () => {
  const controller = new AbortController();
  server.mischief = () => {
    controller.abort();
    return true;
  };
  const {signal} = controller;
  // If it waited, this test would not end in time.
  const built = await buildOn(taker, {url: server.url, signal, patienceMs: 3_600_000}, {signal});
  expect(built.result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
  expect(built.warnings).toEqual([]);
});
