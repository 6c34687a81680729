import type {Clock} from '../../../src/watch/clock.js';

/** A clock that advances only when a test says so. */
export class FakeClock implements Clock {
  private time = 0;
  private timers: {readonly at: number; readonly act: () => void}[] = [];

  readonly now = (): number => this.time;

  readonly after = (ms: number, act: () => void): (() => void) => {
    const timer = {at: this.time + ms, act};
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };

  /** Goes on by so many milliseconds; what is due is called in order, and promises get their turn in between. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await turn();
    for (;;) {
      const due = this.timers.filter(({at}) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.time = due.at;
      due.act();
      await turn();
    }
    this.time = end;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
