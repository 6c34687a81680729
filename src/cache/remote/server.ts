import type {Digest} from '../../model/digest.js';
import type {EventSink} from '../../model/events.js';
import type {Result} from '../../model/result.js';
import type {Address} from './address.js';
import {createBreaker} from './breaker.js';
import {createHttp, type Answer} from './http.js';

/** The server of a remote cache, asked with care: it may be gone, slow, or hostile, and a build must not suffer from it. */
export interface Server {
  readonly get: (path: string, limit: number) => Promise<Answer<Uint8Array>>;
  /** Fails with IO when the file cannot be written. */
  readonly download: (path: string, size: number, file: string) => Promise<Result<Answer<Digest>>>;
  readonly head: (path: string) => Promise<Answer<number | undefined>>;
  /** Whether the server has it now. */
  readonly put: (path: string, body: Uint8Array) => Promise<boolean>;
  /** Whether it is any use to offer something to it. */
  readonly takes: () => boolean;
  /** Tells of something that the server has and that cannot be used. */
  readonly damaged: (path: string, reason: string) => void;
  /** Tells of trouble: once for each kind in a run. */
  readonly warn: (kind: string, message: string, hint?: string) => void;
}

/** Prepares requests; sends none yet. After an abort of `signal` nothing is asked, and nothing said. */
export function createServer(
  address: Address,
  patienceMs: number,
  events: EventSink,
  signal: AbortSignal,
): Server {
  const http = createHttp(address, patienceMs);
  const cancel = (): void => {
    http.cancel();
  };
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, {once: true});

  const warned = new Set<string>();
  function warn(kind: string, message: string, hint?: string): void {
    if (warned.has(kind) || signal.aborted) return;
    warned.add(kind);
    const text = `the remote cache ${address.base} ${message}`;
    events.emit({type: 'warning', message: text, ...(hint === undefined ? {} : {hint})});
  }
  const asking = createBreaker((reason) => {
    warn('off', `is not used for the rest of this run: ${reason}`);
    cancel();
  });
  const offering = createBreaker((reason) => {
    warn('full', `gets no more uploads in this run: ${reason}`);
  });
  // Nothing is offered before something was asked.
  offering.succeeded();

  /** The first request goes alone, so that a server that is not there costs the time of one request, not of many. */
  let first: Promise<unknown> | undefined;
  async function ask<T>(request: () => Promise<T>, count: (answered: T) => void, off: T): Promise<T> {
    if (first !== undefined) await first;
    if (!asking.closed()) return off;
    const answered = request();
    const counted = answered.then(count);
    first ??= counted;
    await counted;
    return answered;
  }
  function count(answer: Answer<unknown>): void {
    if (answer.kind === 'failed') {
      asking.failed(answer.reason);
      // When this was the end, it was said why; else the run goes on, with a word about it.
      if (asking.closed()) warn('failed', `sent an invalid response: ${answer.reason}`);
    }
    if (answer.kind !== 'found' && answer.kind !== 'missing') return;
    asking.succeeded();
    if (answer.slow === true) asking.poor(SLOW);
  }

  return {
    get: (path, limit) => ask(() => http.get(path, limit), count, CANCELLED),
    head: (path) => ask(() => http.head(path), count, CANCELLED),
    download: (path, size, file) =>
      ask(
        () => http.download(path, size, file),
        (done) => {
          if (done.ok) count(done.value);
        },
        {ok: true, value: CANCELLED},
      ),
    async put(path, body) {
      if (!asking.closed() || !offering.closed()) return false;
      const answer = await http.put(path, body);
      if (answer.kind === 'found') {
        if (answer.slow === true) offering.poor(SLOW);
        return true;
      }
      // Somebody else was first (RFC 9110, section 13.1.2): as good.
      if (answer.kind === 'failed' && answer.status === 412) return true;
      if (answer.kind === 'failed' && answer.status === 413) {
        warn('large', `rejects ${path}: the file is too large`);
      } else if (answer.kind !== 'cancelled') {
        const reason = answer.kind === 'missing' ? 'it responds to PUT with HTTP 404' : answer.reason;
        offering.failed(reason);
        if (offering.closed()) warn('refused', `rejected ${path}: ${reason}`);
      }
      return false;
    },
    takes: () => asking.closed() && offering.closed(),
    damaged(path, reason) {
      warn('damaged', `has an entry at ${path} that ${reason}; it is ignored`);
      asking.poor('too many of its entries are damaged');
    },
    warn,
  };
}

const SLOW = 'it is too slow';
const CANCELLED = {kind: 'cancelled'} as const;
