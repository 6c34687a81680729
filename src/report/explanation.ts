import {type Account, sentence} from '../engine/causes.js';
import type {Explanation} from '../engine/records/history.js';
import type {DoneAction, LastRun} from '../engine/records/last-run.js';
import type {ActionId} from '../model/action.js';
import {printable} from './printable.js';
import {count, duration, indent} from './wording.js';

const DID: Readonly<Record<Account['outcome'], string>> = {
  executed: 'ran',
  cached: 'came from the cache',
  remote: 'came from the remote cache',
  failed: 'failed',
};

/** More actions than this are shown in groups, in at most this many lines. */
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

/** The local time of a run. */
function timeText(run: string): string {
  // The Swedish locale formats times as in ISO 8601.
  return new Date(run).toLocaleString('sv-SE');
}

/** ``generate:json.decoder ran: input compile:json.decoder changed; because Lib/json/decoder.py changed`` */
export function actionText(id: ActionId, account: Account): string {
  return printable(`${id} ${accountText(account)}`);
}

function accountText(account: Account): string {
  const end = account.sameOutputs === true ? '; its outputs are unchanged' : '';
  return `${DID[account.outcome]}: ${sentence(account)}${end}`;
}

/** The same for all actions of a run: one line each, or one line per kind if there are many. */
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

/** The root causes of an action, which it shares with others. */
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
 * An action with the chain of its causes, each below its effect.
 * @param told the actions that were shown before: they are not shown again
 */
export function explanationText(
  explanation: Explanation,
  {run, fresh}: LastRun,
  told: ReadonlySet<ActionId> = new Set(),
): string {
  const {id, account} = explanation;
  const when = account.run === run ? '' : ` (in the run at ${timeText(account.run)})`;
  const lead = fresh.includes(id) ? `${id} was up to date; before, it ` : `${id} `;
  return [printable(`${lead}${accountText(account)}${when}`), ...chainOf(explanation, told)].join('\n');
}

function chainOf({because}: Explanation, told: ReadonlySet<ActionId>): string[] {
  return because
    .filter(({id}) => !told.has(id))
    .map((cause) => indent([ownText(cause), ...chainOf(cause, told)].join('\n')));
}

/** Without the root causes, which follow. */
function ownText({id, account, because}: Explanation): string {
  return actionText(id, because.length === 0 ? account : {...account, roots: [], rootCount: 0});
}
