/** A clock that tests can replace. */
export interface Clock {
  /** Milliseconds, from any beginning; never runs backwards. */
  readonly now: () => number;
  /** Calls back after so many milliseconds, unless the returned function is called first. */
  readonly after: (ms: number, act: () => void) => () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
