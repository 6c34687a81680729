import {type Account, sentence} from '../engine/causes.js';
import type {Explanation} from '../engine/history.js';
import type {DoneAction, LastRun} from '../engine/last-run.js';
import type {ActionId} from '../model/action.js';
import {count, duration, indent} from './wording.js';

const DID: Readonly<Record<Account['outcome'], string>> = {
  executed: 'ran',
  cached: 'came from the cache',
  remote: 'came from the remote cache',
  failed: 'failed',
};

/** More than so many actions are told in groups, and no more than so many lines of them. */
const FEW = 12;
const MANY_LINES = 30;

/** What a run did: `last run at 2026-01-02 03:04:05, 0.8 s: 4 actions ran, 533 were up to date`. */
export function runText({run, ms, done, fresh}: LastRun): string {
  const parts = (Object.keys(DID) as Account['outcome'][]).flatMap((outcome) => {
    const number = done.filter(({account}) => account.outcome === outcome).length;
    return number === 0 ? [] : [`${count(number, 'action')} ${DID[outcome]}`];
  });
  const upToDate = fresh.length === 0 ? [] : [`${fresh.length} were up to date`];
  return `last run at ${timeText(run)}, ${duration(ms)}: ${[...parts, ...upToDate].join(', ') || 'nothing'}`;
}

/** The time of a run, where we are. */
export function timeText(run: string): string {
  // Sweden writes times as ISO 8601 does.
  return new Date(run).toLocaleString('sv-SE');
}

/** ``generate:json.decoder ran: input compile:json.decoder changed; because Lib/json/decoder.py changed`` */
export function actionText(id: ActionId, account: Account): string {
  return `${id} ${accountText(account)}`;
}

function accountText(account: Account): string {
  const end = account.sameOutputs === true ? '; its outputs are unchanged' : '';
  return `${DID[account.outcome]}: ${sentence(account)}${end}`;
}

/** The same for all actions of a run: a line each, or, when they are many, a line for those of a kind. */
export function actionTexts(done: readonly DoneAction[], verbose: boolean): string[] {
  if (verbose || done.length <= FEW) return done.map(({id, account}) => actionText(id, account));
  const groups = new Map<string, DoneAction[]>();
  for (const action of done) {
    const kind = JSON.stringify([stepOf(action.id), action.account.outcome, beginningOf(action.account)]);
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [action]);
    else group.push(action);
  }
  const lines = [...groups.values()].map(groupText);
  const rest = lines.length - MANY_LINES;
  return rest <= 0 ? lines : [...lines.slice(0, MANY_LINES), `and ${rest} more (--verbose lists all)`];
}

function groupText(actions: readonly DoneAction[]): string {
  const [first] = actions;
  if (first === undefined) return '';
  const {id, account} = first;
  if (actions.length === 1) return actionText(id, account);
  return `${stepOf(id)} of ${count(actions.length, 'target')} ${DID[account.outcome]}: ${beginningOf(account)}`;
}

/** Where the causes of an action begin: what it has in common with others. */
function beginningOf(account: Account): string {
  const {roots, rootCount} = account;
  return roots.length === 0
    ? sentence(account)
    : sentence({
        ...account,
        causes: roots.map((text) => ({text})),
        causeCount: rootCount,
        roots: [],
        rootCount: 0,
      });
}

function stepOf(id: ActionId): string {
  return id.slice(0, id.indexOf(':'));
}

/**
 * An action with the chain of its causes, each below what it was the cause of.
 * @param told the actions that were told of before: they are not told again
 */
export function explanationText(
  explanation: Explanation,
  {run, fresh}: LastRun,
  told: ReadonlySet<ActionId> = new Set(),
): string {
  const {id, account} = explanation;
  const when = account.run === run ? '' : ` (in the run at ${timeText(account.run)})`;
  const lead = fresh.includes(id) ? `${id} was up to date; before, it ` : `${id} `;
  return [`${lead}${accountText(account)}${when}`, ...chainOf(explanation, told)].join('\n');
}

function chainOf({because}: Explanation, told: ReadonlySet<ActionId>): string[] {
  return because
    .filter(({id}) => !told.has(id))
    .map((cause) => indent([ownText(cause), ...chainOf(cause, told)].join('\n')));
}

/** Without the beginning of the chain: that follows. */
function ownText({id, account, because}: Explanation): string {
  return actionText(id, because.length === 0 ? account : {...account, roots: [], rootCount: 0});
}
