import type {Answer} from './transport.js';

/** The time-out for a response, in milliseconds. For a body, the transfer time at the rate below is added. */
export const PATIENCE_MS = 3000;
const BYTES_PER_MS = 256;
/** A response that takes more than this fraction of the time-out is slow. */
const SLOW = 2 / 3;

export interface Exchange<T> {
  /** Whether it asks for content. */
  readonly reads: boolean;
  /** The maximum number of bytes to transfer, in either direction. */
  readonly bytes: number;
  /** Sends the request and reads the response; may throw. */
  readonly perform: (signal: AbortSignal) => Promise<Answer<T>>;
  /** What an error says. */
  readonly describe: (error: unknown) => string;
}

/** Requests with a time-out, which can be cancelled. */
export interface Exchanges {
  readonly run: <T>(exchange: Exchange<T>) => Promise<Answer<T>>;
  /** Cancels current and future requests: all, or those for content. */
  readonly cancel: (which: 'all' | 'reads') => void;
}

export function createExchanges(patienceMs: number): Exchanges {
  const running = new Map<AbortController, 'reads' | 'other'>();
  const cancelled = {all: false, reads: false};
  return {
    async run({reads, bytes, perform, describe}) {
      const isCancelled = (): boolean => cancelled.all || (reads && cancelled.reads);
      if (isCancelled()) return {kind: 'cancelled'};
      const controller = new AbortController();
      running.set(controller, reads ? 'reads' : 'other');
      const allowance = bytes / BYTES_PER_MS;
      const began = performance.now();
      const release = abortAfter(controller, patienceMs + allowance);
      try {
        const answer = await perform(controller.signal);
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
    },
    cancel(which) {
      cancelled[which] = true;
      for (const [controller, kind] of running) if (which === 'all' || kind === which) controller.abort();
    },
  };
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
