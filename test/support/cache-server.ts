/**
 * A remote cache in this process: a correct one that keeps everything in memory, until a test makes it misbehave. It checks
 * what it is sent as strictly as servers in use do.
 */
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import {digestOf} from '../../src/model/digest.js';

/** Answers a request in place of the honest server, and says `true`; `false` leaves it to that. */
export type Mischief = (
  request: {readonly method: string; readonly path: string; readonly kept: Buffer | undefined},
  response: ServerResponse,
) => boolean;

export interface CacheServer {
  readonly url: string;
  /** What it has, by `ac/<sha256>` and `cas/<sha256>`. */
  readonly kept: Map<string, Buffer>;
  /** `<method> <path>` of every request, in order. */
  readonly requests: string[];
  readonly headers: IncomingMessage['headers'][];
  mischief: Mischief | undefined;
  readonly stop: () => Promise<void>;
}

export async function startCacheServer(): Promise<CacheServer> {
  const kept = new Map<string, Buffer>();
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const {method = '', url = ''} = request;
    const path = url.slice(1);
    cache.requests.push(`${method} ${path}`);
    cache.headers.push(request.headers);
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    if (cache.mischief?.({method, path, kept: kept.get(path)}, response) === true) {
      request.resume();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      serve(kept, method, path, request.headers, Buffer.concat(chunks), response);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const cache: CacheServer = {
    url: '',
    kept,
    requests: [],
    headers: [],
    mischief: undefined,
    stop: () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return Object.assign(cache, {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`});
}

function serve(
  kept: Map<string, Buffer>,
  method: string,
  path: string,
  headers: IncomingMessage['headers'],
  body: Buffer,
  response: ServerResponse,
): void {
  const end = (status: number, content?: Buffer): void => {
    response.writeHead(status, {'content-length': content?.length ?? 0});
    response.end(method === 'HEAD' ? undefined : content);
  };
  const [, part, digest = ''] = /^(?:.*\/)?(ac|cas)\/([0-9a-f]{64})$/.exec(path) ?? [];
  if (part === undefined) {
    end(400);
    return;
  }
  const found = kept.get(path);
  if (method !== 'PUT') {
    end(found === undefined ? 404 : 200, found);
    return;
  }
  // bazel-remote's rules: a length, content that is what its name says, no empty result.
  const bad = headers['content-length'] === undefined || (part === 'cas' && digestOf(body) !== digest);
  if (bad || (part === 'ac' && body.length === 0)) {
    end(400);
    return;
  }
  kept.set(path, body);
  end(200);
}
