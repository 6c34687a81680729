import type {ActionId, Outcome} from '../../model/action.js';
import {type Account, type Cause, explainWhy, sentence, type Why} from '../causes.js';
import type {Journal} from '../records/journal.js';

/** Why actions of this run were not up to date. */
export interface Explanations {
  /** Records why the last good state of an action is stale, and follows the causes to their roots. */
  readonly add: (id: ActionId, causes: readonly Cause[]) => Why;
  /** Whether an action turned out not to be up to date. */
  readonly has: (id: ActionId) => boolean;
  /** All causes, as text. */
  readonly causesOf: (id: ActionId) => readonly string[];
  /** Why an action had to run, or why it did not, in one line. */
  readonly reasonFor: (id: ActionId, outcome: Outcome) => string;
  /** The account of an action, also after a failure. */
  readonly accountOf: (id: ActionId, outcome: Account['outcome']) => Account;
}

const WITHOUT_WORK = {
  fresh: 'up to date',
  cached: 'result in the cache',
  remote: 'result in the remote cache',
};

/** @param run when the run began, ISO 8601 in UTC */
export function createExplanations(run: string, journal: Pick<Journal, 'get'>): Explanations {
  const causes = new Map<ActionId, readonly Cause[]>();
  const whys = new Map<ActionId, Why>();
  const unexplained = explainWhy(run, [], () => undefined);
  return {
    add(id, found) {
      causes.set(id, found);
      const why = explainWhy(run, found, (other) => whys.get(other) ?? journal.get(other)?.account);
      whys.set(id, why);
      return why;
    },
    has: (id) => causes.has(id),
    causesOf: (id) => causes.get(id)?.map(({text}) => text) ?? [],
    reasonFor(id, outcome) {
      if (outcome !== 'executed') return WITHOUT_WORK[outcome];
      return sentence(whys.get(id) ?? unexplained);
    },
    accountOf(id, outcome) {
      const concluded = outcome === 'failed' ? undefined : journal.get(id)?.account;
      return concluded ?? {...(whys.get(id) ?? unexplained), outcome};
    },
  };
}
