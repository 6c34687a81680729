/** Servers that speak gRPC and break its rules, or those of a cache: the worst that they do is a miss with a warning. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import type {ServerHttp2Stream} from 'node:http2';
import {type AddressInfo, createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {
  BatchReadBlobsResponseSchema,
  ServerCapabilitiesSchema,
} from '../../../../src/cache/remote/remote-execution_pb.js';
import {
  frameOf,
  type GrpcCacheServer,
  type GrpcMischief,
  type Reply,
  startGrpcCacheServer,
} from '../../../support/grpc-cache-server.js';
import {digestOf} from '../../../../src/model/digest.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {actualOutputs, build, expectedOutputs, storeIn} from '../../engine/toys.js';
import {buildOn, machine, type Machine, remoteOf} from './rig.js';
import {expectRight, PATIENCE_MS} from './scene.js';

jest.setTimeout(60_000);

let folder: string;
let server: GrpcCacheServer;
let taker: Machine;
beforeEach(async () => {
  folder = temporaryDirectory();
  server = await startGrpcCacheServer();
  taker = await machine(folder, 'taker');
  await buildOn(await machine(folder, 'maker'), {url: server.url, upload: true});
  server.requests.length = 0;
});
afterEach(async () => {
  await server.stop();
});

const only =
  (name: string, change: (honest: Reply) => Reply): GrpcMischief =>
  ({method, honest}) =>
    method === name && honest.messages.length > 0 ? change(honest) : honest;

/** The same change for the data of each file. */
const withData = (change: (data: Uint8Array) => Uint8Array): GrpcMischief =>
  only('BatchReadBlobs', ({messages: [message = Buffer.of()]}) => {
    const {responses} = fromBinary(BatchReadBlobsResponseSchema, message);
    for (const response of responses) response.data = change(response.data);
    return {
      messages: [toBinary(BatchReadBlobsResponseSchema, create(BatchReadBlobsResponseSchema, {responses}))],
      status: 0,
    };
  });
const filled = (bytes: number): Buffer => Buffer.alloc(bytes, 120);
const headers = {':status': 200, 'content-type': 'application/grpc+proto'};

/** Answers in place of the server, which would have sent `message`. */
const instead =
  (act: (stream: ServerHttp2Stream, message: Uint8Array) => void): GrpcMischief =>
  ({honest}, stream) => {
    act(stream, honest.messages[0] ?? filled(9));
    return undefined;
  };

const MISCHIEF: readonly [string, GrpcMischief][] = [
  [
    'has results cut short',
    only('GetActionResult', ({messages: [result]}) => ({
      messages: [(result ?? filled(1)).subarray(0, 20)],
      status: 0,
    })),
  ],
  ['has empty results', only('GetActionResult', () => ({messages: [Buffer.of()], status: 0}))],
  [
    'has noise for results',
    only('GetActionResult', () => ({messages: [Buffer.alloc(200, 0xa5)], status: 0})),
  ],
  [
    'has results of a megabyte and more',
    only('GetActionResult', () => ({messages: [filled(2 << 20)], status: 0})),
  ],
  [
    'sends messages that are larger than any may be',
    only('GetActionResult', () => ({messages: [filled(20 << 20)], status: 0})),
  ],
  [
    'serves the result of another key',
    ({method, honest}) => {
      const [, other = Buffer.of()] = [...server.kept].find(([name]) => name.startsWith('ac/')) ?? [];
      return method === 'GetActionResult' ? {messages: [other], status: 0} : honest;
    },
  ],
  [
    'sends two results',
    only('GetActionResult', ({messages: [result = Buffer.of()]}) => ({
      messages: [result, result],
      status: 0,
    })),
  ],
  ['sends no result and says that all is well', only('GetActionResult', () => ({messages: [], status: 0}))],
  ['sends a result and says that it failed', only('GetActionResult', (honest) => ({...honest, status: 13}))],
  ['has files cut short', withData((data) => data.subarray(1))],
  ['has files that are too long', withData((data) => Buffer.concat([data, data]))],
  ['has other bytes in its files', withData((data) => filled(data.length))],
  ['has empty files', withData(() => Buffer.of())],
  [
    'sends no file of those that were asked for',
    only('BatchReadBlobs', () => ({messages: [Buffer.of()], status: 0})),
  ],
  [
    'sends files that nobody asked for',
    only('BatchReadBlobs', () => {
      const data = filled(100);
      const responses = [{digest: {hash: digestOf(data), sizeBytes: 100n}, data}];
      return {
        messages: [toBinary(BatchReadBlobsResponseSchema, create(BatchReadBlobsResponseSchema, {responses}))],
        status: 0,
      };
    }),
  ],
  ['sends noise for files', only('BatchReadBlobs', () => ({messages: [filled(300)], status: 0}))],
  [
    'resets streams in place of an answer',
    instead((stream) => {
      stream.close(8);
    }),
  ],
  [
    'resets streams in the middle of an answer',
    instead((stream, message) => {
      stream.respond(headers);
      stream.write(frameOf(message).subarray(0, 7), () => {
        stream.close(2);
      });
    }),
  ],
  [
    'ends connections in place of an answer',
    instead((stream) => {
      stream.session?.destroy();
    }),
  ],
  [
    'sends a message that is shorter than it says',
    instead((stream, message) => {
      stream.respond(headers, {waitForTrailers: true});
      stream.on('wantTrailers', () => {
        stream.sendTrailers({'grpc-status': '0'});
      });
      stream.end(frameOf(message).subarray(0, -1));
    }),
  ],
  [
    'ends without a status',
    instead((stream, message) => {
      stream.respond(headers);
      stream.end(frameOf(message));
    }),
  ],
  [
    'answers with a page for people',
    instead((stream) => {
      stream.respond({':status': 200, 'content-type': 'text/html'});
      stream.end('<html><body>Please log in</body></html>');
    }),
  ],
  [
    'answers with HTTP 503',
    instead((stream) => {
      stream.respond({':status': 503}, {endStream: true});
    }),
  ],
  [
    'redirects',
    instead((stream) => {
      stream.respond({':status': 302, location: 'http://127.0.0.1:9/'}, {endStream: true});
    }),
  ],
  ['answers with a status that gRPC does not have', () => ({messages: [], status: 99})],
  [
    'goes away',
    instead((stream) => {
      stream.session?.goaway(0);
    }),
  ],
  ['never answers', () => undefined],
  [
    'begins an answer and never ends it',
    instead((stream, message) => {
      stream.respond(headers);
      stream.write(frameOf(message).subarray(0, 6));
    }),
  ],
  [
    'sends its messages and never a status',
    instead((stream, message) => {
      stream.respond(headers);
      stream.write(frameOf(message));
    }),
  ],
  [
    'states that it does not know SHA-256',
    only('GetCapabilities', () => ({
      messages: [
        toBinary(
          ServerCapabilitiesSchema,
          create(ServerCapabilitiesSchema, {cacheCapabilities: {digestFunctions: [2]}}),
        ),
      ],
      status: 0,
    })),
  ],
  ['is no cache', only('GetCapabilities', () => ({messages: [Buffer.of()], status: 0}))],
  [
    'compresses much into little',
    instead((stream) => {
      const bomb = gzipSync(filled(200 << 20));
      stream.respond({...headers, 'grpc-encoding': 'gzip'}, {waitForTrailers: true});
      stream.on('wantTrailers', () => {
        stream.sendTrailers({'grpc-status': '0'});
      });
      const frame = frameOf(bomb);
      frame[0] = 1;
      stream.end(frame);
    }),
  ],
];

test.each(MISCHIEF)('a server that %s costs a warning, and the build is right', async (_, mischief) => {
  server.mischief = mischief;
  expectRight({server, taker}, await buildOn(taker, {url: server.url, patienceMs: PATIENCE_MS}));
  // Nothing of it stays in the store.
  const store = await storeIn(taker.storeDir);
  expect(await store.verify()).toMatchObject({damaged: [], incomplete: []});
});

describe('a large file', () => {
  // More than what batches have.
  const size = (1 << 20) + 4096;
  const content = filled(size);
  const digest = digestOf('something else');
  const output = {name: 'o', digest, size, executable: false};
  const download = async (): Promise<[unknown, readonly string[]]> => {
    const {remote, warnings} = await remoteOf({url: server.url, patienceMs: PATIENCE_MS});
    // What a server cannot be in its first answer.
    await remote.get(digestOf('none'), 'none');
    const done = await remote.download(digestOf('key'), output, join(folder, 'large'));
    remote.close();
    return [done, warnings()];
  };

  test.each<[string, Buffer, string]>([
    ['with other bytes', content, 'is not what its name says'],
    ['that is too short', content.subarray(1), 'has not the size that it should have'],
    ['that is too long', Buffer.concat([content, content]), 'has not the size that it should have'],
  ])('%s is not used', async (_, sent, reason) => {
    server.kept.set(`cas/${digest}`, sent);
    expect(await download()).toEqual([
      {ok: true, value: false},
      [`the remote cache ${server.url} has an entry at cas/${digest} that ${reason}; it is ignored`],
    ]);
  });

  test('without an end is cut off', async () => {
    let sent = 0;
    server.kept.set(`cas/${digest}`, content);
    server.mischief = ({method, honest}, stream) => {
      if (method !== 'Read') return honest;
      const [chunk = filled(1)] = honest.messages;
      stream.respond(headers);
      const more = (): void => {
        if (stream.destroyed || stream.closed) return;
        sent += chunk.length;
        stream.write(frameOf(chunk), () => setImmediate(more));
      };
      more();
      return undefined;
    };
    const [done, warnings] = await download();
    expect([done, warnings]).toEqual([
      {ok: true, value: false},
      [expect.stringContaining('has not the size that it should have')],
    ]);
    expect(sent).toBeLessThan(100 << 20);
  });

  test('that stops coming is not waited for', async () => {
    server.kept.set(`cas/${digest}`, content);
    server.mischief = ({method, honest}, stream) => {
      if (method !== 'Read') return honest;
      stream.respond(headers);
      stream.write(frameOf(honest.messages[0] ?? filled(1)));
      return undefined;
    };
    expect(await download()).toEqual([
      {ok: true, value: false},
      [expect.stringContaining('sent an invalid response: the request timed out')],
    ]);
  });
});

test('uploads to a server that hangs do not delay the build', async () => {
  server.kept.clear();
  server.mischief = ({method, honest}) => (/Update|Write/.test(method) ? undefined : honest);
  const built = await buildOn(taker, {url: server.url, upload: true, patienceMs: PATIENCE_MS});
  expectRight({server, taker}, built);
  expect(built.warnings.join()).toContain('the request timed out');
});

test('an interrupted build does not wait, and does not warn', async () => {
  const controller = new AbortController();
  server.mischief = () => {
    controller.abort();
    return undefined;
  };
  const {signal} = controller;
  // If it waited, this test would not end in time.
  const built = await buildOn(taker, {url: server.url, signal, patienceMs: 3_600_000}, {signal});
  expect(built.result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
  expect(built.warnings).toEqual([]);
});

describe('what is no gRPC', () => {
  const listen = async (onConnection: (socket: Socket) => void): Promise<{url: string; stop: () => void}> => {
    const sockets = new Set<Socket>();
    const plain = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.resume();
      onConnection(socket);
    });
    await new Promise<void>((done) => {
      plain.listen(0, '127.0.0.1', done);
    });
    return {
      url: `grpc://127.0.0.1:${(plain.address() as AddressInfo).port}`,
      stop() {
        plain.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  };

  test.each<[string, (socket: Socket) => void]>([
    ['accepts connections and says nothing', () => undefined],
    ['closes connections', (socket) => void socket.destroy()],
    ['speaks HTTP/1.1', (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')],
    ['speaks something else', (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
  ])('%s', async (_, onConnection) => {
    const {url, stop} = await listen(onConnection);
    const built = await buildOn(taker, {url, patienceMs: PATIENCE_MS});
    stop();
    expect(built.result.ok).toBe(true);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
    expect(built.warnings).toEqual([
      expect.stringContaining(`the remote cache ${url} is not used for the rest of this run: `),
    ]);
  });

  test('is not there', async () => {
    await server.stop();
    const built = await buildOn(taker, {url: server.url});
    expect(built.counts).toMatchObject({executed: 4});
    expect(built.warnings).toEqual([
      `the remote cache ${server.url} is not used for the rest of this run: the connection was refused`,
    ]);
  });
});

describe('TLS', () => {
  /** An authority, and a certificate of it for a name. */
  function makeCertificates(): Record<'ca' | 'cert' | 'key' | 'other', string> {
    const at = (name: string): string => join(folder, name);
    const openssl = (...words: string[]): void => void execFileSync('openssl', words, {stdio: 'pipe'});
    for (const name of ['ca', 'other']) {
      openssl(
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...['-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
      );
    }
    openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', at('key.pem'), '-out', at('request.pem')],
    );
    openssl(
      ...[
        'x509',
        '-req',
        '-in',
        at('request.pem'),
        '-CA',
        at('ca.pem'),
        '-CAkey',
        at('ca.key'),
        '-days',
        '2',
      ],
      ...['-copy_extensions', 'copy', '-out', at('cert.pem')],
    );
    return {ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem'), other: at('other.pem')};
  }

  test('a server is known by its authority, and knows its clients by their certificates', async () => {
    const {ca, cert, key, other} = makeCertificates();
    const [keyText, certText, caText] = [key, cert, ca].map((path) => readFileSync(path));
    const secure = await startGrpcCacheServer({
      tls: {key: keyText ?? Buffer.of(), cert: certText ?? Buffer.of(), ca: caText ?? Buffer.of()},
    });
    try {
      const tls = {authorities: ca, certificate: cert, key};
      const made = await buildOn(await machine(folder, 'secure'), {url: secure.url, upload: true, tls});
      expect(made.warnings).toEqual([]);
      expect((await buildOn(taker, {url: secure.url, tls})).counts).toMatchObject({remote: 4});
      for (const wrong of [{...tls, authorities: other}, {authorities: ca}, {certificate: cert, key}]) {
        const one = await machine(folder, `wrong${Object.values(wrong).join().length}`);
        const built = await buildOn(one, {url: secure.url, tls: wrong});
        expect(built.counts).toMatchObject({executed: 4});
        expect(built.warnings).toEqual([expect.stringContaining('is not used for the rest of this run')]);
      }
      await expect(remoteOf({url: secure.url, tls: {certificate: cert}})).rejects.toThrow('need each other');
      await expect(remoteOf({url: secure.url, tls: {authorities: join(folder, 'none')}})).rejects.toThrow(
        'none',
      );
      await expect(remoteOf({url: server.url, tls})).rejects.toThrow('need an address with grpcs');
    } finally {
      await secure.stop();
    }
    // Of what was taken, all is kept.
    const store = await storeIn(taker.storeDir);
    await build(taker.toy, {store});
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });
});
