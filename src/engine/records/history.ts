import type {ActionId} from '../../model/action.js';
import type {Account} from '../causes.js';
import {openJournal} from './journal.js';
import {type LastRun, readLastRun} from './last-run.js';

/** The history of a build directory. */
export interface History {
  readonly lastRun: LastRun;
  /** Every action of the last run, and those known from older runs. */
  readonly ids: () => readonly ActionId[];
  /** The account of an action; undefined if there is none. */
  readonly accountOf: (id: ActionId) => Account | undefined;
  /** The actions whose outputs it reads. */
  readonly needsOf: (id: ActionId) => readonly ActionId[];
}

/** Reads it, without a lock: both files are replaced as a whole. Undefined when there was no run yet. */
export async function readHistory(buildDir: string): Promise<History | undefined> {
  const lastRun = await readLastRun(buildDir);
  if (lastRun === undefined) return undefined;
  const {journal} = await openJournal(buildDir);
  const done = new Map(lastRun.done.map((action) => [action.id, action]));
  const ids = [...new Set([...done.keys(), ...lastRun.fresh, ...journal.ids()])];
  return {
    lastRun,
    ids: () => ids,
    accountOf: (id) => done.get(id)?.account ?? journal.get(id)?.account,
    needsOf(id) {
      const known = done.get(id)?.needs ?? journal.get(id)?.producers ?? [];
      return [...new Set(known.filter((producer) => producer !== null))];
    },
  };
}

/** An action with its account, and the same for the actions that caused it. */
export interface Explanation {
  readonly id: ActionId;
  readonly account: Account;
  readonly because: readonly Explanation[];
}

/** The number of causes of an action to follow; each is followed to its root. */
const FOLLOWED = 3;

/**
 * Follows the causes of an action from one to the next. Undefined for an unknown action. What happened to the
 * others in a later run is not a cause.
 */
export function explain(id: ActionId, history: Pick<History, 'accountOf'>): Explanation | undefined {
  return follow(id, history, new Map());
}

/** @param explained what was explained already; undefined for an action that is being explained: a damaged journal may go round in circles */
function follow(
  id: ActionId,
  history: Pick<History, 'accountOf'>,
  explained: Map<ActionId, Explanation | undefined>,
): Explanation | undefined {
  if (explained.has(id)) return explained.get(id);
  explained.set(id, undefined);
  const account = history.accountOf(id);
  if (account === undefined) return undefined;
  const because: Explanation[] = [];
  for (const {producer} of account.causes) {
    if (producer === undefined || because.length === FOLLOWED) continue;
    const known = history.accountOf(producer);
    if (known === undefined || known.run > account.run) continue;
    const followed = follow(producer, history, explained);
    if (followed !== undefined) because.push(followed);
  }
  const explanation = {id, account, because};
  explained.set(id, explanation);
  return explanation;
}
