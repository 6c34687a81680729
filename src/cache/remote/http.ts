import {createHash} from 'node:crypto';
import {open, type FileHandle} from 'node:fs/promises';
import type {Digest} from '../../model/digest.js';
import {errnoOf, messageOf} from '../../model/errno.js';
import type {Failure} from '../../model/failure.js';
import {err, ok, type Result} from '../../model/result.js';
import {attempt, ioFailure} from '../../fs/files.js';
import type {Address} from './address.js';

/** The outcome of a request. Requests never throw. */
export type Answer<T> =
  | {readonly kind: 'found'; readonly value: T; readonly slow?: true}
  | {readonly kind: 'missing'; readonly slow?: true}
  /** The server sent content that cannot be the requested one. */
  | {readonly kind: 'damaged'; readonly reason: string}
  /** No valid response. */
  | {readonly kind: 'failed'; readonly reason: string; readonly status?: number}
  | {readonly kind: 'cancelled'};

/** Bazel's HTTP cache protocol, as far as a request goes. Paths are `ac/<sha256>` and `cas/<sha256>`. */
export interface Http {
  /** The whole body, which may have `limit` bytes at most. */
  readonly get: (path: string, limit: number) => Promise<Answer<Uint8Array>>;
  /** Writes the body to a file; gives its digest. It may have `size` bytes and no other number. Fails with IO. */
  readonly download: (path: string, size: number, file: string) => Promise<Result<Answer<Digest>>>;
  /** The size, if the server tells. */
  readonly head: (path: string) => Promise<Answer<number | undefined>>;
  readonly put: (path: string, body: Uint8Array) => Promise<Answer<void>>;
  /** Cancels current and future requests: all, or those for content. */
  readonly cancel: (which: 'all' | 'reads') => void;
}

/** The time-out for a response, in milliseconds. For a body, the transfer time at the rate below is added. */
export const PATIENCE_MS = 3000;
const BYTES_PER_MS = 256;
/** A response that takes more than this fraction of the time-out is slow. */
const SLOW = 2 / 3;
/** How much of a useless body is read to keep the connection open. */
const REST_BYTES = 4096;

export function createHttp({base, authorization}: Address, patienceMs: number): Http {
  const running = new Map<AbortController, 'reads' | 'other'>();
  const cancelled = {all: false, reads: false};

  interface Request<T> {
    readonly method: 'GET' | 'HEAD' | 'PUT';
    readonly path: string;
    readonly body?: Uint8Array;
    /** The maximum number of bytes to transfer, in either direction. */
    readonly bytes: number;
    readonly read: (response: Response) => Promise<Answer<T>>;
  }

  async function exchange<T>({method, path, body, bytes, read}: Request<T>): Promise<Answer<T>> {
    const isCancelled = (): boolean => cancelled.all || (method === 'GET' && cancelled.reads);
    if (isCancelled()) return {kind: 'cancelled'};
    const controller = new AbortController();
    running.set(controller, method === 'GET' ? 'reads' : 'other');
    const allowance = bytes / BYTES_PER_MS;
    const began = performance.now();
    const release = abortAfter(controller, patienceMs + allowance);
    try {
      const response = await fetch(`${base}/${path}`, {
        method,
        // A redirect would send the credentials to a server that the user did not choose.
        redirect: 'manual',
        headers: {
          'accept-encoding': 'identity',
          ...(authorization === undefined ? {} : {authorization}),
          ...(body === undefined ? {} : {'content-type': 'application/octet-stream', 'if-none-match': '*'}),
        },
        body: body ?? null,
        signal: controller.signal,
      });
      const answer = await judge(response, read);
      const slow = performance.now() - began > SLOW * patienceMs + allowance;
      return slow && (answer.kind === 'found' || answer.kind === 'missing') ? {...answer, slow} : answer;
    } catch (error) {
      // Our own state, not the error: an abort surfaces in many forms.
      if (isCancelled()) return {kind: 'cancelled'};
      const reason = controller.signal.aborted ? 'the request timed out' : describe(error);
      return {kind: 'failed', reason};
    } finally {
      release();
      running.delete(controller);
    }
  }

  return {
    get: (path, limit) =>
      exchange({
        method: 'GET',
        path,
        bytes: 0,
        async read(response) {
          const chunks: Uint8Array[] = [];
          const whole = await pour(response, limit, (chunk) => {
            chunks.push(chunk);
            return Promise.resolve(true);
          });
          if (!whole) return {kind: 'damaged', reason: 'is too large'};
          return {kind: 'found', value: Buffer.concat(chunks)};
        },
      }),
    async download(path, size, file) {
      const opened = await attempt('write', file, () => open(file, 'w'));
      if (!opened.ok) return opened;
      let broken: Failure | undefined;
      const answer = await exchange<Digest>({
        method: 'GET',
        path,
        bytes: size,
        async read(response) {
          const hash = createHash('sha256');
          let written = 0;
          const whole = await pour(response, size, async (chunk) => {
            hash.update(chunk);
            written += chunk.length;
            broken = await write(opened.value, chunk, file);
            return broken === undefined;
          });
          if (!whole || written !== size)
            return {kind: 'damaged', reason: 'has not the size that it should have'};
          return {kind: 'found', value: hash.digest('hex') as Digest};
        },
      });
      const closed = await attempt('write', file, () => opened.value.close());
      if (broken !== undefined) return err(broken);
      return closed.ok ? ok(answer) : closed;
    },
    head: (path) =>
      exchange({
        method: 'HEAD',
        path,
        bytes: 0,
        read: ({headers}) => {
          const length = headers.get('content-length');
          return Promise.resolve({
            kind: 'found',
            value: length === null ? undefined : Number(length),
          });
        },
      }),
    put: (path, body) =>
      exchange({
        method: 'PUT',
        path,
        body,
        bytes: body.length,
        read: async (response) => {
          await pour(response, REST_BYTES, () => Promise.resolve(true));
          return {kind: 'found', value: undefined};
        },
      }),
    cancel(which) {
      cancelled[which] = true;
      for (const [controller, kind] of running) if (which === 'all' || kind === which) controller.abort();
    },
  };
}

/** Reads the body of a successful response, and classifies others by their status. */
async function judge<T>(
  response: Response,
  read: (response: Response) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const {status} = response;
  if (status === 200 || status === 201 || status === 204) return read(response);
  await pour(response, REST_BYTES, () => Promise.resolve(true));
  if (status === 404 || status === 410) return {kind: 'missing'};
  return {kind: 'failed', reason: `it answers with HTTP ${status}`, status};
}

/** Passes the body on in chunks; stops and returns `false` at more than `limit` bytes or when `take` does. */
async function pour(
  response: Response,
  limit: number,
  take: (chunk: Uint8Array) => Promise<boolean>,
): Promise<boolean> {
  const {body} = response;
  if (body === null) return true;
  // Not one byte of what says itself that it is too much.
  if (Number(response.headers.get('content-length') ?? 0) > limit) {
    await body.cancel();
    return false;
  }
  let read = 0;
  // Leaving the loop early ends the connection.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    read += chunk.length;
    if (read > limit || !(await take(chunk))) return false;
  }
  return true;
}

async function write(file: FileHandle, chunk: Uint8Array, path: string): Promise<Failure | undefined> {
  try {
    await file.writeFile(chunk);
    return undefined;
  } catch (error) {
    return ioFailure('write', path, error);
  }
}

/**
 * Aborts after a time. If this process itself was busy, it first handles what has arrived meanwhile: timers
 * come before input and output in a turn of the event loop, `setImmediate` comes after it.
 */
function abortAfter(controller: AbortController, ms: number): () => void {
  let done = false;
  const timer = setTimeout(() => {
    setImmediate(() =>
      setImmediate(() => {
        if (!done) controller.abort();
      }),
    );
  }, ms);
  return () => {
    done = true;
    clearTimeout(timer);
  };
}

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name lookup failed',
  ENETUNREACH: 'the network is unreachable',
  EHOSTUNREACH: 'the host is unreachable',
};

/** Why there was no response. fetch's own message is always the same; its cause has the reason. */
function describe(error: unknown): string {
  const {cause = error} = (error ?? {}) as {readonly cause?: unknown};
  return SENTENCES[errnoOf(cause) ?? ''] ?? messageOf(cause);
}
