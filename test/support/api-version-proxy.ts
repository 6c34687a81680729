/**
 * Between Bazel as Debian packages it, which says that it speaks version 2.0 of the Remote Execution API and no other, and a server that
 * states 2.1 and later: everything passes as it is, but for the lowest version in the answer to GetCapabilities.
 */
import {
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
} from 'node:http2';
import type {AddressInfo} from 'node:net';

/** `low_api_version { major: 2 minor: 0 }`, field 4 of ServerCapabilities. Of several, the last one counts. */
const LOW_VERSION = Buffer.from([0x22, 0x04, 0x08, 0x02, 0x10, 0x00]);

export interface Proxy {
  readonly url: string;
  /** How many bytes went to the server, and how many came from it, in calls of each method. */
  readonly traffic: Map<string, {calls: number; sent: number; received: number}>;
  /** Ends all connections; new ones go to the same server. */
  readonly disconnect: () => void;
  readonly stop: () => Promise<void>;
}

/**
 * Passes on what comes to a free port of the loopback interface.
 * @param target a `grpc://` address
 * @param onCall is told the method of each call before it goes on
 */
export async function startProxy(target: string, onCall?: (method: string) => void): Promise<Proxy> {
  const sessions = new Set<ServerHttp2Session>();
  const traffic: Proxy['traffic'] = new Map();
  const server = createServer();
  server.on('sessionError', () => undefined);
  server.on('session', (session) => {
    sessions.add(session);
    const upstream = connect(target.replace('grpc:', 'http:'), {settings: {initialWindowSize: 1 << 20}});
    const end = (): void => {
      sessions.delete(session);
      session.destroy();
      upstream.destroy();
    };
    for (const each of [session, upstream]) each.on('error', end).on('close', end);
    upstream.on('goaway', end);
    session.on('stream', (stream, headers) => {
      const path = headers[':path'] ?? '';
      const method = /[^/]*$/.exec(path)?.[0] ?? '';
      const counts = traffic.get(method) ?? {calls: 0, sent: 0, received: 0};
      traffic.set(method, counts);
      counts.calls += 1;
      onCall?.(method);
      stream.on('data', (chunk: Buffer) => (counts.sent += chunk.length));
      if (upstream.destroyed) {
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
        return;
      }
      const request = upstream.request(headers);
      const cancel = (): void => {
        if (!request.destroyed) request.close(constants.NGHTTP2_CANCEL);
      };
      stream.on('error', cancel).on('aborted', cancel);
      // The client sees a lost connection, too, and makes another one.
      request.on('error', end);
      stream.pipe(request);
      request.on('response', (response, flags) => {
        if (stream.destroyed) return;
        const isOnlyTrailers = (flags & 1) !== 0;
        stream.respond(withoutPseudo(response), isOnlyTrailers ? {endStream: true} : {waitForTrailers: true});
        if (isOnlyTrailers) return;
        let trailers: IncomingHttpHeaders = {};
        request.on('trailers', (last: IncomingHttpHeaders) => {
          trailers = last;
        });
        stream.on('wantTrailers', () => {
          if (!stream.destroyed) stream.sendTrailers(trailers);
        });
        request.on('data', (chunk: Buffer) => (counts.received += chunk.length));
        if (method !== 'GetCapabilities') {
          request.pipe(stream);
          return;
        }
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const body = Buffer.concat([...chunks, LOW_VERSION]);
          body.writeUInt32BE(body.length - 5, 1);
          stream.end(body);
        });
      });
    });
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const disconnect = (): void => {
    for (const session of sessions) session.destroy();
  };
  return {
    url: `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`,
    traffic,
    disconnect,
    stop: () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
        disconnect();
      }),
  };
}

/** The status is all that a response has of these. */
function withoutPseudo(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith(':') || name === ':status'),
  );
}
