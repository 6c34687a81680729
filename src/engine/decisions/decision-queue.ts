import {setImmediate} from 'node:timers/promises';
import pLimit from 'p-limit';

/** Runs decisions, which look at files, in an order that keeps the processors busy. */
export interface DecisionQueue {
  /** @param isUrgent whether other work depends on it, so that it must not queue behind up-to-date actions */
  readonly run: <T>(isUrgent: boolean, decide: () => Promise<T>) => Promise<T>;
}

/** The number of actions whose files are checked concurrently. */
const AT_ONCE = 32;

export function createDecisionQueue(): DecisionQueue {
  const ordinaryLimit = pLimit(AT_ONCE);
  const priorityLimit = pLimit(AT_ONCE);
  let started = 0;
  let pause: Promise<void> = Promise.resolve();
  return {
    run(isUrgent, decide) {
      if (isUrgent) return priorityLimit(decide);
      return ordinaryLimit(async () => {
        started += 1;
        // Decisions rarely wait, which would starve child processes, so their events periodically get a turn.
        if (started % AT_ONCE === 0) pause = setImmediate();
        await pause;
        return decide();
      });
    },
  };
}
