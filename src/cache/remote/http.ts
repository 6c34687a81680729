import {errnoOf, messageOf} from '../../model/errno.js';
import type {HttpAddress} from './address.js';
import {downloadTo, type Take} from './blob-download.js';
import {createExchanges} from './exchanges.js';
import {sentenceOf} from './network-errors.js';
import {nameOfEntry, type Answer, type Entry, type Transport} from './transport.js';

/** How much of a useless body is read to keep the connection open. */
const REST_BYTES = 4096;

/** Bazel's HTTP cache protocol: entries are at `<address>/ac/<sha256>` and `<address>/cas/<sha256>`. */
export function createHttp({base, authorization}: HttpAddress, patienceMs: number): Transport {
  const exchanges = createExchanges(patienceMs);

  interface Request<T> {
    readonly method: 'GET' | 'HEAD' | 'PUT';
    readonly body?: Uint8Array;
    readonly bytes: number;
    readonly read: (response: Response) => Promise<Answer<T>>;
  }
  const exchange = <T>(entry: Entry, {method, body, bytes, read}: Request<T>): Promise<Answer<T>> =>
    exchanges.run({
      reads: method === 'GET',
      bytes,
      describe,
      async perform(signal) {
        const response = await fetch(`${base}/${nameOfEntry(entry)}`, {
          method,
          // A redirect would send the credentials to a server that the user did not choose.
          redirect: 'manual',
          headers: {
            'accept-encoding': 'identity',
            ...(authorization === undefined ? {} : {authorization}),
            ...(body === undefined ? {} : {'content-type': 'application/octet-stream', 'if-none-match': '*'}),
          },
          body: body ?? null,
          signal,
        });
        return judge(response, read);
      },
    });

  return {
    get: (entry, limit) =>
      exchange(entry, {
        method: 'GET',
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
    download: (entry, path) =>
      downloadTo(path, entry.size, (take, end) =>
        exchange(entry, {
          method: 'GET',
          bytes: entry.size,
          async read(response) {
            const whole = await pour(response, entry.size, take);
            return whole ? end() : {kind: 'damaged', reason: 'has not the size that it should have'};
          },
        }),
      ),
    head: (entry) =>
      exchange(entry, {
        method: 'HEAD',
        bytes: 0,
        read: ({headers}) => {
          const length = headers.get('content-length');
          return Promise.resolve({
            kind: 'found',
            value: length === null ? undefined : Number(length),
          });
        },
      }),
    async put(entry, body) {
      const answer = await exchange<undefined>(entry, {
        method: 'PUT',
        body,
        bytes: body.length,
        read: async (response) => {
          await pour(response, REST_BYTES, () => Promise.resolve(true));
          return {kind: 'found', value: undefined};
        },
      });
      return answer.kind === 'missing'
        ? {kind: 'failed', reason: 'it responds to PUT with HTTP 404'}
        : answer;
    },
    cancel: exchanges.cancel,
    // Idle connections of fetch do not keep a process running.
    close: () => undefined,
  };
}

/** Statuses of uploads that say more than that they failed (RFC 9110, sections 13.1.2 and 15.5.14). */
const CAUSES: Readonly<Record<number, 'exists' | 'too large'>> = {412: 'exists', 413: 'too large'};

/** Reads the body of a successful response, and classifies others by their status. */
async function judge<T>(
  response: Response,
  read: (response: Response) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const {status} = response;
  if (status === 200 || status === 201 || status === 204) return read(response);
  await pour(response, REST_BYTES, () => Promise.resolve(true));
  if (status === 404 || status === 410) return {kind: 'missing'};
  const why = CAUSES[status];
  return {
    kind: 'failed',
    reason: `it answers with HTTP ${status}`,
    ...(why === undefined ? {} : {why}),
  };
}

/** Passes the body on in chunks; stops and returns `false` at more than `limit` bytes or when `take` does. */
async function pour(response: Response, limit: number, take: Take): Promise<boolean> {
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

/** Why there was no response. fetch's own message is always the same; its cause has the reason. */
function describe(error: unknown): string {
  const {cause = error} = (error ?? {}) as {readonly cause?: unknown};
  return sentenceOf(errnoOf(cause)) ?? messageOf(cause);
}
