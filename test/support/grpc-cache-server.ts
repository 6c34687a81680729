/**
 * A remote cache in this process with the gRPC services of the Remote Execution API: a correct one that keeps everything in memory, until
 * a test makes it misbehave. It is written on HTTP/2 itself, so that it can break any rule of gRPC.
 */
import {createSecureServer, createServer, type IncomingHttpHeaders, type ServerHttp2Stream} from 'node:http2';
import type {AddressInfo, Socket} from 'node:net';
import {create, type DescMessage, fromBinary, type MessageInitShape, toBinary} from '@bufbuild/protobuf';
import {ActionResultSchema} from '../../src/cache/remote/action-result_pb.js';
import {
  ReadRequestSchema,
  ReadResponseSchema,
  WriteRequestSchema,
  WriteResponseSchema,
} from '../../src/cache/remote/byte-stream_pb.js';
import {
  BatchReadBlobsRequestSchema,
  BatchReadBlobsResponseSchema,
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
  FindMissingBlobsRequestSchema,
  FindMissingBlobsResponseSchema,
  GetActionResultRequestSchema,
  GetCapabilitiesRequestSchema,
  ServerCapabilitiesSchema,
  UpdateActionResultRequestSchema,
} from '../../src/cache/remote/remote-execution_pb.js';
import {digestOf} from '../../src/model/digest.js';

/** gRPC's statuses, as far as they are used here. */
export const STATUS = {OK: 0, INVALID_ARGUMENT: 3, NOT_FOUND: 5, UNIMPLEMENTED: 12, INTERNAL: 13};

/** A response: messages, and how it ends. */
export interface Reply {
  readonly messages: readonly Uint8Array[];
  readonly status: number;
}

/** Answers a call in place of the honest server, and gives nothing; or gives what is sent in its place. */
export type GrpcMischief = (
  call: {readonly method: string; readonly honest: Reply},
  stream: ServerHttp2Stream,
) => Reply | undefined;

export interface GrpcCacheServer {
  readonly url: string;
  /** What it has, by `ac/<sha256>` and `cas/<sha256>`. */
  readonly kept: Map<string, Buffer>;
  /** The method of every call, with the entries that it names, in order. */
  readonly requests: string[];
  readonly headers: IncomingHttpHeaders[];
  /** Instance names that calls named. */
  readonly instances: Set<string>;
  mischief: GrpcMischief | undefined;
  /** The limit that it states for batches, and enforces. */
  batchBytes: number;
  readonly stop: () => Promise<void>;
}

export interface GrpcServerOptions {
  /** Makes it speak TLS, and require a certificate of `ca`. */
  readonly tls?: {readonly key: Buffer; readonly cert: Buffer; readonly ca: Buffer};
}

export async function startGrpcCacheServer({tls}: GrpcServerOptions = {}): Promise<GrpcCacheServer> {
  const sockets = new Set<Socket>();
  const server =
    tls === undefined
      ? createServer()
      : createSecureServer({...tls, requestCert: true, rejectUnauthorized: true});
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const method = /[^/]*$/.exec(headers[':path'] ?? '')?.[0] ?? '';
      cache.headers.push(headers);
      const honest = serve(cache, method, messagesIn(Buffer.concat(chunks)));
      const reply = cache.mischief === undefined ? honest : cache.mischief({method, honest}, stream);
      if (reply !== undefined) sendReply(stream, reply);
    });
  });
  const cache: GrpcCacheServer = {
    url: '',
    kept: new Map(),
    requests: [],
    headers: [],
    instances: new Set(),
    mischief: undefined,
    batchBytes: 0,
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
  const {port} = server.address() as AddressInfo;
  const scheme = tls === undefined ? 'grpc' : 'grpcs';
  return Object.assign(cache, {url: `${scheme}://${tls === undefined ? '127.0.0.1' : 'localhost'}:${port}`});
}

/** Sends a response as gRPC does. */
export function sendReply(stream: ServerHttp2Stream, {messages, status}: Reply): void {
  if (stream.destroyed) return;
  stream.respond({':status': 200, 'content-type': 'application/grpc+proto'}, {waitForTrailers: true});
  stream.on('wantTrailers', () => {
    if (!stream.destroyed) stream.sendTrailers({'grpc-status': String(status), 'grpc-message': 'said so'});
  });
  for (const message of messages) stream.write(frameOf(message));
  stream.end();
}

/** A message with its length before it. */
export function frameOf(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function messagesIn(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const length = body.readUInt32BE(at + 1);
    messages.push(body.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}

const failed = (status: number): Reply => ({messages: [], status});
const answer = <D extends DescMessage>(schema: D, message: MessageInitShape<D>): Reply => ({
  messages: [toBinary(schema, create(schema, message))],
  status: STATUS.OK,
});

function serve(cache: GrpcCacheServer, method: string, messages: readonly Buffer[]): Reply {
  const {kept} = cache;
  const [first = Buffer.of()] = messages;
  const note = (...entries: string[]): void => {
    cache.requests.push([method, ...entries].join(' '));
  };
  switch (method) {
    case 'GetCapabilities': {
      cache.instances.add(fromBinary(GetCapabilitiesRequestSchema, first).instanceName);
      note();
      return answer(ServerCapabilitiesSchema, {
        cacheCapabilities: {
          digestFunctions: [1],
          actionCacheUpdateCapabilities: {updateEnabled: true},
          maxBatchTotalSizeBytes: BigInt(cache.batchBytes),
        },
      });
    }
    case 'GetActionResult': {
      const {instanceName, actionDigest} = fromBinary(GetActionResultRequestSchema, first);
      cache.instances.add(instanceName);
      const name = `ac/${actionDigest?.hash}/${actionDigest?.sizeBytes}`;
      note(name);
      const found = kept.get(name);
      return found === undefined ? failed(STATUS.NOT_FOUND) : {messages: [found], status: STATUS.OK};
    }
    case 'UpdateActionResult': {
      const {instanceName, actionDigest, actionResult} = fromBinary(UpdateActionResultRequestSchema, first);
      cache.instances.add(instanceName);
      const name = `ac/${actionDigest?.hash}/${actionDigest?.sizeBytes}`;
      note(name);
      if (actionResult === undefined) return failed(STATUS.INVALID_ARGUMENT);
      const bytes = Buffer.from(toBinary(ActionResultSchema, actionResult));
      kept.set(name, bytes);
      return {messages: [bytes], status: STATUS.OK};
    }
    case 'FindMissingBlobs': {
      const {instanceName, blobDigests} = fromBinary(FindMissingBlobsRequestSchema, first);
      cache.instances.add(instanceName);
      note(...blobDigests.map(({hash}) => `cas/${hash}`));
      return answer(FindMissingBlobsResponseSchema, {
        missingBlobDigests: blobDigests.filter(({hash}) => !kept.has(`cas/${hash}`)),
      });
    }
    case 'BatchUpdateBlobs': {
      const {requests} = fromBinary(BatchUpdateBlobsRequestSchema, first);
      note(...requests.map(({digest}) => `cas/${digest?.hash}`));
      const size = requests.reduce((sum, {data}) => sum + data.length, 0);
      if (cache.batchBytes > 0 && size > cache.batchBytes) return failed(STATUS.INVALID_ARGUMENT);
      return answer(BatchUpdateBlobsResponseSchema, {
        responses: requests.map(({digest, data}) => {
          const isRight = digest?.hash === digestOf(data) && digest.sizeBytes === BigInt(data.length);
          if (isRight) kept.set(`cas/${digest.hash}`, Buffer.from(data));
          return {...(digest && {digest}), status: {code: isRight ? STATUS.OK : STATUS.INVALID_ARGUMENT}};
        }),
      });
    }
    case 'BatchReadBlobs': {
      const {digests} = fromBinary(BatchReadBlobsRequestSchema, first);
      note(...digests.map(({hash}) => `cas/${hash}`));
      const size = digests.reduce((sum, {sizeBytes}) => sum + Number(sizeBytes), 0);
      if (cache.batchBytes > 0 && size > cache.batchBytes) return failed(STATUS.INVALID_ARGUMENT);
      return answer(BatchReadBlobsResponseSchema, {
        responses: digests.map((digest) => {
          const data = kept.get(`cas/${digest.hash}`);
          return {
            digest,
            data: data ?? Buffer.of(),
            status: {code: data === undefined ? STATUS.NOT_FOUND : STATUS.OK},
          };
        }),
      });
    }
    case 'Read': {
      const {resourceName} = fromBinary(ReadRequestSchema, first);
      const [, instance = '', hash = ''] = /^(?:(.*)\/)?blobs\/([0-9a-f]{64})\/\d+$/.exec(resourceName) ?? [];
      cache.instances.add(instance);
      note(`cas/${hash}`);
      const found = kept.get(`cas/${hash}`);
      if (found === undefined) return failed(STATUS.NOT_FOUND);
      const parts = Array.from({length: Math.ceil(found.length / 65_536)}, (_, i) =>
        found.subarray(i * 65_536, (i + 1) * 65_536),
      );
      return {
        messages: parts.map((data) => toBinary(ReadResponseSchema, create(ReadResponseSchema, {data}))),
        status: STATUS.OK,
      };
    }
    case 'Write': {
      const parts = messages.map((message) => fromBinary(WriteRequestSchema, message));
      const [, instance = '', hash = '', size] =
        /^(?:(.*)\/)?uploads\/[0-9a-f-]{36}\/blobs\/([0-9a-f]{64})\/(\d+)$/.exec(
          parts[0]?.resourceName ?? '',
        ) ?? [];
      cache.instances.add(instance);
      note(`cas/${hash}`);
      const content = Buffer.concat(parts.map(({data}) => data));
      let offset = 0;
      const isOrdered = parts.every(({writeOffset, data}) => {
        const isNext = writeOffset === BigInt(offset);
        offset += data.length;
        return isNext;
      });
      const isRight =
        isOrdered &&
        parts.at(-1)?.finishWrite === true &&
        content.length === Number(size) &&
        digestOf(content) === hash;
      if (!isRight) return failed(STATUS.INVALID_ARGUMENT);
      kept.set(`cas/${hash}`, content);
      return answer(WriteResponseSchema, {committedSize: BigInt(content.length)});
    }
    default:
      note();
      return failed(STATUS.UNIMPLEMENTED);
  }
}
