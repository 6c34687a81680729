import {setImmediate} from 'node:timers/promises';
import pLimit from 'p-limit';

/** Runs decisions, which look at files, in an order that keeps the processors busy. */
export interface DecisionQueue {
  /** @param isUrgent whether work follows from it: it does not queue behind all that is up to date */
  readonly run: <T>(isUrgent: boolean, decide: () => Promise<T>) => Promise<T>;
}

/** For how many actions at once files are looked at. */
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
        // Decisions hardly ever wait, so child processes would have to: now and then, their events get a turn.
        if (started % AT_ONCE === 0) pause = setImmediate();
        await pause;
        return decide();
      });
    },
  };
}
