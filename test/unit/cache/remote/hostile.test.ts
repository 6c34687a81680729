import {gzipSync} from 'node:zlib';
import {rmSync} from 'node:fs';
import {describe, expect, jest, test} from '@jest/globals';
import {digestOf} from '../../../../src/model/digest.js';
import type {Mischief} from '../../../support/cache-server.js';
import {actualOutputs, build, expectedOutputs, storeIn} from '../../engine/toys.js';
import {buildOn, remoteOf} from './rig.js';
import {PATIENCE_MS, expectRight, filledServer} from './scene.js';

jest.setTimeout(60_000);

const scene = filledServer();

/** The same mischief for all that the server has; for the rest it answers correctly. */
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
        const other = [...scene.server.kept.keys()].find((name) => name.startsWith('ac/') && name !== path);
        response.end(scene.server.kept.get(other ?? ''));
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
    scene.server.mischief = mischief;
    expectRight(scene, await buildOn(scene.taker, {url: scene.server.url, patienceMs: PATIENCE_MS}));
    // Nothing of it stays in the store.
    const store = await storeIn(scene.taker.storeDir);
    expect(await store.verify()).toMatchObject({damaged: [], incomplete: []});
    rmSync(scene.taker.toy.buildDir, {recursive: true});
    await build(scene.taker.toy, {store});
    expect(actualOutputs(scene.taker.toy)).toEqual(expectedOutputs(scene.taker.toy));
  });

  test.each<['ac' | 'cas']>([['ac'], ['cas']])('sends gigabytes from %s is cut off', async (part) => {
    const sent = {bytes: 0};
    scene.server.mischief = always(part, (_, response) => {
      flood(response, sent);
    });
    expectRight(scene, await buildOn(scene.taker, {url: scene.server.url, patienceMs: PATIENCE_MS}));
    // What the kernel's buffers hold comes on top of what was read.
    expect(sent.bytes).toBeLessThan(200 << 20);
  });

  test('compresses a gigabyte into a small response is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    scene.server.mischief = always('', (_, response) => {
      response.writeHead(200, {'content-encoding': 'gzip', 'content-length': bomb.length}).end(bomb);
    });
    expectRight(scene, await buildOn(scene.taker, {url: scene.server.url, patienceMs: PATIENCE_MS}));
  });

  test('says that more comes than was asked for is not listened to', async () => {
    scene.server.mischief = always('cas', (_, response) => {
      response.writeHead(200, {'content-length': 3e9}).flushHeaders();
    });
    // If it were, this test would not end in time.
    const built = await buildOn(scene.taker, {url: scene.server.url, patienceMs: 3_600_000, waitingMs: 1e9});
    expectRight(scene, built);
  });

  test('has one large file with other bytes is not used any more', async () => {
    const size = 100 << 20;
    scene.server.mischief = ({path}, response) => {
      if (!path.startsWith('cas/')) return false;
      response.writeHead(200, {'content-length': size});
      response.end(Buffer.alloc(size));
      return true;
    };
    const {remote, warnings} = await remoteOf({url: scene.server.url, patienceMs: 3_600_000, waitingMs: 1e9});
    const digest = digestOf('something else');
    const output = {name: 'o', digest, size, executable: false};
    expect(await remote.download(digestOf('key'), output, `${scene.folder}/large`)).toEqual({
      ok: true,
      value: false,
    });
    expect(warnings()).toEqual([
      expect.stringContaining(`an entry at cas/${digest} that is not what its name says`),
      expect.stringContaining('is not used for the rest of this run'),
    ]);
    scene.server.requests.length = 0;
    expect(await remote.get(digestOf('next'), '')).toBeUndefined();
    expect(scene.server.requests).toEqual([]);
  });

  test('says that its results are larger than all that a cache holds is not asked for them', async () => {
    const {remote, warnings} = await remoteOf({url: scene.server.url});
    scene.server.mischief = (_, response) => Boolean(response.writeHead(404).end());
    for (const name of 'abcdefghi') {
      const output = {name: 'o', digest: digestOf(name), size: 256 << 20, executable: false};
      expect(await remote.download(digestOf('key'), output, `${scene.folder}/large`)).toEqual({
        ok: true,
        value: false,
      });
    }
    expect(scene.server.requests).toHaveLength(7);
    expect(warnings().at(-1)).toMatch(/not used for the rest of this run: it has more than 2 GB for one run/);
  });
});
