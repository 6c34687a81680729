import {narrator} from './narrator.js';
import type {WordOptions, WordStreams} from './plain.js';
import {progress} from './progress.js';
import type {Reporter} from '../reporter.js';

/** The clock of a live line, which tests can replace. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls back after so many milliseconds, unless the returned function is called first. Keeps no process alive. */
  readonly after: (ms: number, act: () => void) => () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  after(ms, act) {
    const timer = setTimeout(act, ms).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** At most ten times a second while things happen, once a second while nothing does. */
const REDRAW_MS = 100;
const IDLE_REDRAW_MS = 1000;

/** Erases the line that the cursor is in (ECMA-48: carriage return, then EL with parameter 2). */
const ERASE_LINE = '\r\u001b[2K';

/**
 * For terminals: one live progress line at the bottom, and above it the lines worth keeping. With
 * `verbose` every action is kept, too.
 */
export function terminalReporter(streams: WordStreams, options: WordOptions, clock: Clock): Reporter {
  const tell = narrator({...options, live: true});
  const state = progress();
  let drawn = false;
  let drawnAt = -Infinity;
  let cancel: (() => void) | undefined;

  const erase = (): void => {
    if (drawn) streams.log.raw(ERASE_LINE);
    drawn = false;
  };
  const schedule = (ms: number): void => {
    cancel?.();
    cancel = clock.after(ms, draw);
  };
  const draw = (): void => {
    erase();
    if (!state.isBusy()) return;
    drawnAt = clock.now();
    // One column stays free: a terminal may wrap a line that fills the last one.
    streams.log.raw(state.line(drawnAt, streams.log.columns() - 1, options.style));
    drawn = true;
    schedule(IDLE_REDRAW_MS);
  };
  /** Draws now if the last time is long enough ago, else as soon as it is. */
  const refresh = (): void => {
    const wait = drawnAt + REDRAW_MS - clock.now();
    if (wait <= 0) draw();
    else schedule(wait);
  };

  return {
    event(event) {
      state.event(event);
      const {log, errors} = tell(event);
      // Both streams may be the same terminal, so the live line is erased for either.
      if (log !== undefined || errors !== undefined) erase();
      if (log !== undefined) streams.log.line(log);
      if (errors !== undefined) streams.errors.line(errors);
      refresh();
    },
    product({text}) {
      erase();
      streams.products?.line(text);
      refresh();
    },
    close() {
      cancel?.();
      erase();
    },
  };
}
