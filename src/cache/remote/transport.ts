import type {Digest} from '../../model/digest.js';
import type {Result} from '../../model/result.js';

/** The outcome of a request. Requests never throw. */
export type Answer<T> =
  | {readonly kind: 'found'; readonly value: T; readonly slow?: true}
  | {readonly kind: 'missing'; readonly slow?: true}
  /** The server sent content that cannot be the requested one. */
  | {readonly kind: 'damaged'; readonly reason: string}
  /** No valid response. */
  | {readonly kind: 'failed'; readonly reason: string; readonly why?: 'exists' | 'too large'}
  | {readonly kind: 'cancelled'};

/** An entry of a server: the result of an action (`ac`), or a file (`cas`). */
export interface Entry {
  readonly part: 'ac' | 'cas';
  /** Of the file; for a result, the key, which is the digest of the key record. */
  readonly digest: Digest;
  /** The size of what the digest is of. */
  readonly size: number;
}

/** The name of an entry in messages: `ac/<sha256>` or `cas/<sha256>`. */
export function nameOfEntry({part, digest}: Entry): string {
  return `${part}/${digest}`;
}

/** A way to a server. What a run makes of the answers is the same for all: server.ts. */
export interface Transport {
  /** The whole content, which may have `limit` bytes at most. */
  readonly get: (entry: Entry, limit: number) => Promise<Answer<Uint8Array>>;
  /** Writes a file to a path; gives its digest. It may have as many bytes as the entry says and no other number. Fails with IO. */
  readonly download: (entry: Entry, path: string) => Promise<Result<Answer<Digest>>>;
  /** Whether the entry is there; the size, if the server tells. */
  readonly head: (entry: Entry) => Promise<Answer<number | undefined>>;
  readonly put: (entry: Entry, body: Uint8Array) => Promise<Answer<undefined>>;
  /** Cancels current and future requests: all, or those for content. */
  readonly cancel: (which: 'all' | 'reads') => void;
  /** Lets go of connections. */
  readonly close: () => void;
}
