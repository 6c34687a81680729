import {ENDING_SIGNALS, killGroups, type EndingSignal} from './groups.js';

/** The end of a run on request of the user or the system. */
export interface Interruption {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Which signal it was, if one came. */
  readonly received: () => EndingSignal | undefined;
  /** Stops listening. */
  readonly dispose: () => void;
}

/** The exit code of an interrupted run. */
const INTERRUPTED_EXIT_CODE = 130;

/**
 * Listens for the signals that end a process. The first one aborts, so that the run ends regularly; the next one
 * kills every child and ends this process at once.
 */
export function abortOnSignals(): Interruption {
  const controller = new AbortController();
  let received: EndingSignal | undefined;
  const onSignal = (signal: EndingSignal): void => {
    if (received !== undefined) {
      killGroups();
      process.exit(INTERRUPTED_EXIT_CODE);
    }
    received = signal;
    controller.abort();
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    received: () => received,
    dispose() {
      for (const signal of ENDING_SIGNALS) process.removeListener(signal, onSignal);
    },
  };
}
