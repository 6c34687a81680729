import type {Digest} from '../../model/digest.js';
import type {EventSink} from '../../model/events.js';
import type {Result} from '../../model/result.js';
import type {Address} from './address.js';
import {createBreaker} from './breaker.js';
import {createHttp, type Answer} from './http.js';

/** The server of a remote cache. It may be down, slow, or hostile, and must not disturb a build. */
export interface Server {
  readonly get: (path: string, limit: number) => Promise<Answer<Uint8Array>>;
  /** Fails with IO when the file cannot be written. */
  readonly download: (path: string, size: number, file: string) => Promise<Result<Answer<Digest>>>;
  readonly head: (path: string) => Promise<Answer<number | undefined>>;
  /** Whether the server has it now. */
  readonly put: (path: string, body: Uint8Array) => Promise<boolean>;
  /** Whether uploads make sense. */
  readonly takes: () => boolean;
  /** Reports an entry of the server that cannot be used. */
  readonly damaged: (path: string, reason: string) => void;
  /** Warns once for each kind of failure in a run. */
  readonly warn: (kind: string, message: string, hint?: string) => void;
}

/** Prepares requests; sends none yet. After an abort of `signal`, it sends no requests and no warnings. */
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
  // Nothing is uploaded before the first request has succeeded.
  offering.succeeded();

  /** The first request runs alone, so that an unreachable server costs the time of one request, not of many. */
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
      // If the breaker opened, it has warned; otherwise the run continues with a warning.
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
      // Another client was faster (RFC 9110, section 13.1.2), which is just as good.
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
