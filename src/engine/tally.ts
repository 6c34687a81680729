import type {ActionId, Outcome} from '../model/action.js';
import type {ActionCounts} from '../model/events.js';

/** What became of the actions of a build. */
export interface EngineSummary {
  readonly counts: ActionCounts;
  /** The actions that ran, in the order in which they were done. */
  readonly executed: readonly ActionId[];
}

export interface Tally {
  readonly count: (id: ActionId, outcome: Outcome | 'failed') => void;
  readonly summary: () => EngineSummary;
}

export function createTally(): Tally {
  const counts = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};
  const executed: ActionId[] = [];
  return {
    count(id, outcome) {
      counts[outcome] += 1;
      if (outcome === 'executed') executed.push(id);
    },
    summary: () => ({counts: {...counts}, executed: [...executed]}),
  };
}
