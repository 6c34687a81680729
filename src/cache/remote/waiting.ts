/**
 * How long a run waits for a server, all in all. A server may be slow in a way that no single answer shows: a second for each of a
 * hundred results that build on each other. So what is answered earns time, about as much as it saves, and a run that has waited for
 * longer than that stops asking.
 */
export interface Waiting {
  /** Runs a request; time counts once, however many run at once. */
  readonly during: <T>(request: () => Promise<T>) => Promise<T>;
  /** A request was answered, with so many bytes of use. */
  readonly answered: (bytes: number) => void;
}

/** What a run waits for in any case: one time-out. */
export const BASE_MS = 3000;
/** Requests run side by side, so this is what a server far away takes. */
const ANSWER_MS = 20;
/** What a result saves, at least. */
const RESULT_MS = 100;
const BYTES_PER_MS = 1000;

export interface WaitingOptions {
  readonly baseMs: number;
  /** Called once, when the time is used up. */
  readonly exhausted: (waitedMs: number) => void;
  readonly now?: () => number;
}

export function createWaiting({baseMs, exhausted, now = () => performance.now()}: WaitingOptions): Waiting {
  let allowedMs = baseMs;
  let waitedMs = 0;
  let running = 0;
  let since = 0;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  function check(): void {
    clearTimeout(timer);
    if (isOver) return;
    const soFar = waitedMs + (running > 0 ? now() - since : 0);
    if (soFar > allowedMs) {
      isOver = true;
      exhausted(soFar);
    } else if (running > 0) {
      // Answers that have arrived meanwhile are handled first: timers come before input and output in a turn of the event loop.
      timer = setTimeout(() => setImmediate(() => setImmediate(check)), allowedMs - soFar + 1);
    }
  }

  return {
    async during(request) {
      if (running === 0) since = now();
      running += 1;
      if (running === 1) check();
      try {
        return await request();
      } finally {
        running -= 1;
        if (running === 0) waitedMs += now() - since;
        check();
      }
    },
    answered(bytes) {
      allowedMs += ANSWER_MS + (bytes > 0 ? RESULT_MS + bytes / BYTES_PER_MS : 0);
    },
  };
}
