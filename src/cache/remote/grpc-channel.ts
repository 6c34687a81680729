import {randomUUID} from 'node:crypto';
import {
  type ChannelCredentials,
  Client,
  credentials as grpcCredentials,
  logVerbosity,
  Metadata,
  type ServiceError,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import {
  create,
  type DescMethodUnary,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {messageOf} from '../../model/errno.js';
import type {GrpcAddress} from './address.js';
import {
  ByteStream,
  ReadRequestSchema,
  ReadResponseSchema,
  WriteRequestSchema,
  WriteResponseSchema,
} from './byte-stream_pb.js';
import type {TlsFiles} from './credentials.js';
import {sentenceOf} from './network-errors.js';

/** The largest message that is taken. Servers have the same limit, which is gRPC's default. */
export const MAX_MESSAGE_BYTES = 4 << 20;
const CHUNK_BYTES = 256 << 10;

/** Calls of a server. All of them reject with a `ServiceError`, also when their signal aborts. */
export interface GrpcChannel {
  readonly call: <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    signal: AbortSignal,
  ) => Promise<MessageShape<O>>;
  /** The same, with the response as it was sent. */
  readonly callForBytes: <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    signal: AbortSignal,
  ) => Promise<Uint8Array>;
  /** Passes the chunks of a resource on, until `take` gives false; gives whether it never did. */
  readonly read: (
    resource: string,
    take: (chunk: Uint8Array) => Promise<boolean>,
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Uploads a content; gives how much the server has. `resource` makes a name of an unused id. */
  readonly write: (
    resource: (id: string) => string,
    body: Uint8Array,
    signal: AbortSignal,
  ) => Promise<bigint>;
  readonly close: () => void;
}

/** Makes a channel, which connects with the first call. */
export function openChannel({target, isEncrypted, authorization}: GrpcAddress, tls: TlsFiles): GrpcChannel {
  // Failures are answers here, and nothing of the library's own goes to standard error.
  setLogVerbosity(logVerbosity.NONE);
  const client = new Client(`dns:${target}`, credentialsOf(isEncrypted, tls), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
    // One attempt has one time-out.
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  const metadata = new Metadata();
  if (authorization !== undefined) metadata.set('authorization', authorization);

  function unary<I extends DescMessage, O extends DescMessage, R>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    read: (bytes: Buffer) => R,
    signal: AbortSignal,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest<Buffer, R>(
        `/${method.parent.typeName}/${method.name}`,
        (bytes) => bytes,
        read,
        Buffer.from(toBinary(method.input, create(method.input, request))),
        metadata,
        (error, response) => {
          signal.removeEventListener('abort', cancel);
          if (error !== null) reject(error);
          else if (response === undefined) reject(new Error('it sent no response'));
          else resolve(response);
        },
      );
      const cancel = (): void => {
        call.cancel();
      };
      signal.addEventListener('abort', cancel);
    });
  }

  return {
    call: (method, request, signal) =>
      unary(method, request, (bytes) => fromBinary(method.output, bytes), signal),
    callForBytes: (method, request, signal) => unary(method, request, (bytes) => bytes, signal),
    async read(resourceName, take, signal) {
      const call = client.makeServerStreamRequest<Buffer, Uint8Array>(
        pathOf(ByteStream.method.read),
        (bytes) => bytes,
        (bytes) => fromBinary(ReadResponseSchema, bytes).data,
        Buffer.from(toBinary(ReadRequestSchema, create(ReadRequestSchema, {resourceName}))),
        metadata,
      );
      const cancel = (): void => {
        call.cancel();
      };
      signal.addEventListener('abort', cancel);
      try {
        for await (const chunk of call as AsyncIterable<Uint8Array>) {
          if (!(await take(chunk))) return false;
        }
        return true;
      } finally {
        signal.removeEventListener('abort', cancel);
        cancel();
      }
    },
    write: (resource, body, signal) =>
      new Promise((resolve, reject) => {
        const call = client.makeClientStreamRequest<Buffer, bigint>(
          pathOf(ByteStream.method.write),
          (bytes) => bytes,
          (bytes) => fromBinary(WriteResponseSchema, bytes).committedSize,
          metadata,
          (error, committed) => {
            isOver = true;
            signal.removeEventListener('abort', cancel);
            if (error !== null) reject(error);
            else resolve(committed ?? 0n);
          },
        );
        let isOver = false;
        const cancel = (): void => {
          call.cancel();
        };
        signal.addEventListener('abort', cancel);
        // The outcome is that of the call.
        call.on('error', () => undefined);
        const resourceName = resource(randomUUID());
        const send = (offset: number): void => {
          // A server that has the content already answers before the end.
          if (isOver) return;
          const end = Math.min(body.length, offset + CHUNK_BYTES);
          const message = create(WriteRequestSchema, {
            resourceName: offset === 0 ? resourceName : '',
            writeOffset: BigInt(offset),
            finishWrite: end === body.length,
            data: body.subarray(offset, end),
          });
          call.write(Buffer.from(toBinary(WriteRequestSchema, message)), () => {
            if (end < body.length) send(end);
            else call.end();
          });
        };
        send(0);
      }),
    close() {
      client.close();
    },
  };
}

function pathOf({
  parent,
  name,
}: {
  readonly parent: {readonly typeName: string};
  readonly name: string;
}): string {
  return `/${parent.typeName}/${name}`;
}

function credentialsOf(isEncrypted: boolean, {authorities, key, certificate}: TlsFiles): ChannelCredentials {
  if (!isEncrypted) return grpcCredentials.createInsecure();
  return grpcCredentials.createSsl(authorities ?? null, key ?? null, certificate ?? null);
}

/** The code of a call that failed; UNKNOWN for an error of another kind. */
export function statusOf(error: unknown): status {
  const {code} = (error ?? {}) as Partial<ServiceError>;
  return typeof code === 'number' && code in status ? code : status.UNKNOWN;
}

const MAX_DETAILS = 200;

/** Why a call failed. What a server says of it may be long. */
export function describeError(error: unknown): string {
  const {details = messageOf(error)} = (error ?? {}) as Partial<ServiceError>;
  const errno = /\bE[A-Z_]{3,}\b/.exec(details)?.[0];
  const code = statusOf(error);
  const known = code === status.UNAVAILABLE ? sentenceOf(errno) : undefined;
  return known ?? describeStatus(code, details);
}

/** What a status of a server says. */
export function describeStatus(code: number, details: string): string {
  const text = details.length > MAX_DETAILS ? `${details.slice(0, MAX_DETAILS)}…` : details;
  return `it answers with ${status[code] ?? `status ${code}`}${text === '' ? '' : ` (${text})`}`;
}
