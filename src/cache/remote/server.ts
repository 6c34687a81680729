import type {Digest} from '../../model/digest.js';
import type {EventSink} from '../../model/events.js';
import type {Result} from '../../model/result.js';
import type {Address} from './address.js';
import {createBreaker} from './breaker.js';
import {createHttp, type Answer} from './http.js';
import {createWaiting, type Waiting} from './waiting.js';

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
  /** Waits for uploads, as long as they take a reasonable time. */
  readonly finish: (uploads: Promise<unknown>) => Promise<void>;
  /** Reports an entry of the server that cannot be used, and how many bytes were transferred for nothing. */
  readonly damaged: (path: string, reason: string, bytes?: number) => void;
  /** Warns once for each kind of failure in a run. */
  readonly warn: (kind: string, message: string, hint?: string) => void;
}

/** Prepares requests; sends none yet. After an abort of `signal`, it sends no requests and no warnings. */
export function createServer(
  address: Address,
  {patienceMs, waitingMs}: {readonly patienceMs: number; readonly waitingMs: number},
  events: EventSink,
  signal: AbortSignal,
): Server {
  const http = createHttp(address, patienceMs);
  const cancel = (): void => {
    http.cancel('all');
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

  let reads = true;
  function stopReading(reason: string): void {
    if (!reads) return;
    reads = false;
    warn('off', `is not used for the rest of this run: ${reason}`);
    http.cancel('reads');
  }
  const waiting = createWaiting({
    baseMs: waitingMs,
    exhausted(ms) {
      stopReading(`it is too slow (${(ms / 1000).toFixed(1)} s of waiting)`);
    },
  });
  let finishing: Waiting | undefined;
  /** The sizes of all downloads of the run. */
  let downloads = 0;

  /** The first request runs alone, so that an unreachable server costs the time of one request, not of many. */
  let first: Promise<unknown> | undefined;
  async function ask<T>(request: () => Promise<T>, count: (answered: T) => void, off: T): Promise<T> {
    if (first !== undefined) await first;
    if (!asking.closed() || signal.aborted) return off;
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

  /** The same for content, which the build waits for. */
  function read<T>(request: () => Promise<T>, count: (answered: T) => void, off: T): Promise<T> {
    return reads
      ? waiting.during(() => ask(() => (reads ? request() : Promise.resolve(off)), count, off))
      : Promise.resolve(off);
  }

  return {
    get: (path, limit) =>
      read(
        () => http.get(path, limit),
        (answer) => {
          count(answer);
          if (answer.kind === 'found') waiting.answered(answer.value.length);
          else if (answer.kind === 'missing') waiting.answered(0);
        },
        CANCELLED,
      ),
    async head(path) {
      const answer = await ask(() => http.head(path), count, CANCELLED);
      finishing?.answered(0);
      return answer;
    },
    download(path, size, file) {
      downloads += size;
      if (downloads > MAX_DOWNLOADS) stopReading('it has more than 2 GB for one run');
      return read(
        () => http.download(path, size, file),
        (done) => {
          if (!done.ok) return;
          count(done.value);
          // What is not what its name says is worth nothing.
          if (done.value.kind === 'found' && path.endsWith(done.value.value)) waiting.answered(size);
        },
        {ok: true, value: CANCELLED},
      );
    },
    async put(path, body) {
      if (!asking.closed() || !offering.closed()) return false;
      const answer = await http.put(path, body);
      finishing?.answered(body.length);
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
    async finish(uploads) {
      finishing = createWaiting({
        baseMs: FINISH_MS,
        exhausted() {
          warn('full', `gets no more uploads in this run: ${SLOW}`);
          cancel();
        },
      });
      await finishing.during(() => uploads);
    },
    damaged(path, reason, bytes = 0) {
      warn('damaged', `has an entry at ${path} that ${reason}; it is ignored`);
      asking.poor('too many of its entries are damaged', 1 + Math.floor(bytes / WASTE));
    },
    warn,
  };
}

/** As much as a local cache holds. */
const MAX_DOWNLOADS = 2_000_000_000;
/** A damaged download of so many bytes is as bad as two small ones. */
const WASTE = 8 << 20;
/** What uploads may take after a build, besides what their size takes. */
const FINISH_MS = 10_000;
const SLOW = 'it is too slow';
const CANCELLED = {kind: 'cancelled'} as const;
