import {ENDING_SIGNALS, leaveSignalsAlone, type EndingSignal} from './groups.js';

/** The end of a run on request of the user or the system. */
export interface Interruption {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Which signal it was, if one came. */
  readonly received: () => EndingSignal | undefined;
  /** Stops listening. */
  readonly dispose: () => void;
}

/**
 * Listens for the signals that end a process. The first one aborts, so that the run ends regularly. Then nobody listens any more, so
 * that the next one ends this process whatever it does: a handler would run only between two turns of the event loop, and
 * `process.exit()` waits for threads that wait for a file. The children end with it (`startWatchdog`).
 */
export function abortOnSignals(): Interruption {
  const controller = new AbortController();
  let received: EndingSignal | undefined;
  const dispose = (): void => {
    for (const signal of ENDING_SIGNALS) process.removeListener(signal, onSignal);
  };
  const giveUp = (): void => {
    dispose();
    leaveSignalsAlone();
  };
  const onSignal = (signal: EndingSignal): void => {
    if (received !== undefined) {
      // Both came before there was a turn to stop listening.
      giveUp();
      process.kill(process.pid, signal);
      return;
    }
    received = signal;
    // A signal that comes after anybody has seen the first one's effect must not meet a listener that is about to go.
    setImmediate(() => {
      giveUp();
      controller.abort();
    });
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, onSignal);
  return {signal: controller.signal, received: () => received, dispose};
}
