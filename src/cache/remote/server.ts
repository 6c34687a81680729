import type {Digest} from '../../model/digest.js';
import type {EventSink} from '../../model/events.js';
import type {Result} from '../../model/result.js';
import {createBreaker} from './breaker.js';
import {nameOfEntry, type Answer, type Entry, type Transport} from './transport.js';
import {createWaiting, type Waiting} from './waiting.js';

/** The server of a remote cache. It may be down, slow, or hostile, and must not disturb a build. */
export interface Server {
  readonly get: (entry: Entry, limit: number) => Promise<Answer<Uint8Array>>;
  /** Fails with IO when the file cannot be written. */
  readonly download: (entry: Entry, path: string) => Promise<Result<Answer<Digest>>>;
  readonly head: (entry: Entry) => Promise<Answer<number | undefined>>;
  /** Whether the server has it now. */
  readonly put: (entry: Entry, body: Uint8Array) => Promise<boolean>;
  /** Whether uploads make sense. */
  readonly takes: () => boolean;
  /** Waits for uploads, as long as they take a reasonable time. */
  readonly finish: (uploads: Promise<unknown>) => Promise<void>;
  /** Reports an entry of the server that cannot be used, and how many bytes were transferred for nothing. */
  readonly damaged: (entry: Entry, reason: string, bytes?: number) => void;
  /** Warns once for each kind of failure in a run. */
  readonly warn: (kind: string, message: string, hint?: string) => void;
  /** Ends its connections. */
  readonly close: () => void;
}

/**
 * Prepares requests; sends none yet. After an abort of `signal`, it sends no requests and no warnings.
 * @param base the server in messages
 */
export function createServer(
  transport: Transport,
  {base, waitingMs}: {readonly base: string; readonly waitingMs: number},
  events: EventSink,
  signal: AbortSignal,
): Server {
  const cancel = (): void => {
    transport.cancel('all');
  };
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, {once: true});

  const warned = new Set<string>();
  function warn(kind: string, message: string, hint?: string): void {
    if (warned.has(kind) || signal.aborted) return;
    warned.add(kind);
    const text = `the remote cache ${base} ${message}`;
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
    transport.cancel('reads');
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
    get: (entry, limit) =>
      read(
        () => transport.get(entry, limit),
        (answer) => {
          count(answer);
          if (answer.kind === 'found') waiting.answered(answer.value.length);
          else if (answer.kind === 'missing') waiting.answered(0);
        },
        CANCELLED,
      ),
    async head(entry) {
      const answer = await ask(() => transport.head(entry), count, CANCELLED);
      finishing?.answered(0);
      return answer;
    },
    download(entry, path) {
      const {size, digest} = entry;
      downloads += size;
      if (downloads > MAX_DOWNLOADS) stopReading('it has more than 2 GB for one run');
      return read(
        () => transport.download(entry, path),
        (done) => {
          if (!done.ok) return;
          count(done.value);
          // What is not what its name says is worth nothing.
          if (done.value.kind === 'found' && done.value.value === digest) waiting.answered(size);
        },
        {ok: true, value: CANCELLED},
      );
    },
    async put(entry, body) {
      if (!asking.closed() || !offering.closed()) return false;
      const answer = await transport.put(entry, body);
      finishing?.answered(body.length);
      if (answer.kind === 'found') {
        if (answer.slow === true) offering.poor(SLOW);
        return true;
      }
      if (answer.kind === 'cancelled') return false;
      const {reason, why} =
        answer.kind === 'failed' ? answer : {reason: 'it has no place for it', why: undefined};
      // Another client was faster, which is just as good.
      if (why === 'exists') return true;
      if (why === 'too large') {
        warn('large', `rejects ${nameOfEntry(entry)}: the file is too large`);
      } else {
        offering.failed(reason);
        if (offering.closed()) warn('refused', `rejected ${nameOfEntry(entry)}: ${reason}`);
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
    damaged(entry, reason, bytes = 0) {
      warn('damaged', `has an entry at ${nameOfEntry(entry)} that ${reason}; it is ignored`);
      asking.poor('too many of its entries are damaged', 1 + Math.floor(bytes / WASTE));
    },
    warn,
    close: transport.close,
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
