import {type Account} from '../../engine/causes.js';
import {explain, type Explanation, type History} from '../../engine/records/history.js';
import {partsOf} from '../../engine/keys.js';
import {STEPS, type ActionId} from '../../model/action.js';
import {fail, ok, type Result} from '../../model/result.js';
import {actionTexts, explanationText, runText} from '../../report/explanation.js';
import type {Product} from '../../report/reporter.js';
import {historyOf} from '../build-history.js';
import type {CommandEnd, Session} from '../command.js';
import {closest} from '../../model/suggest.js';

/** `flashfreeze explain [MODULE|ACTION]`: what ran in the last build, and why. */
export async function run(session: Session): Promise<CommandEnd> {
  const {invocation, product} = session;
  const history = await historyOf(session);
  if (!history.ok) return {failure: history.failure};
  const {word, options} = invocation;
  if (word === undefined) {
    overview(history.value, options).forEach(product);
    return {};
  }
  const ids = actionsOf(word, history.value);
  if (!ids.ok) return {failure: ids.failure};
  const told = new Set<ActionId>();
  for (const id of ids.value) {
    product(inDetail(id, history.value, told));
    told.add(id);
  }
  return {};
}

/** JSON output has a line for every action; text output groups actions of a kind. */
function overview(
  {lastRun}: History,
  options: {readonly json?: boolean; readonly verbose?: boolean},
): Product[] {
  const {run, ms, done, fresh} = lastRun;
  const head = {
    text: runText(lastRun),
    record: {type: 'run', run, ms, done: done.length, fresh: fresh.length},
  };
  if (options.json === true) {
    return [head, ...done.map(({id, account, ms}) => ({text: '', record: {...recordOf(id, account), ms}}))];
  }
  return [head, ...actionTexts(done, options.verbose ?? false).map((text) => ({text}))];
}

function inDetail(id: ActionId, history: History, told: ReadonlySet<ActionId>): Product {
  const explanation = explain(id, history);
  const upToDate = history.lastRun.fresh.includes(id);
  if (explanation === undefined) {
    return {text: `${id} was up to date`, record: {type: 'explanation', id, outcome: 'fresh'}};
  }
  return {
    text: explanationText(explanation, history.lastRun, told),
    hasLines: true,
    record: {...recordOf(id, explanation.account), upToDate, because: explanation.because.map(treeOf)},
  };
}

function recordOf(id: ActionId, account: Account): NonNullable<Product['record']> {
  return {type: 'explanation', id, ...account, sameOutputs: account.sameOutputs ?? false};
}

function treeOf({id, account, because}: Explanation): object {
  return {id, ...account, because: because.map(treeOf)};
}

/** The actions that a word means: one by its id, or all of a module, in the order of their steps. Fails with NO_MODULE. */
function actionsOf(word: string, history: History): Result<readonly ActionId[]> {
  const ids = history.ids();
  const meant = ids.filter((id) => id === word || partsOf(id).target === word);
  const order = (id: ActionId): number => STEPS.indexOf(partsOf(id).step);
  if (meant.length > 0) return ok([...meant].sort((a, b) => order(a) - order(b)));
  const near = closest(word, word.includes(':') ? ids : [...new Set(ids.map((id) => partsOf(id).target))]);
  return fail('NO_MODULE', `the last build has no ${word.includes(':') ? 'action' : 'module'} ${word}`, {
    hint: near === undefined ? 'flashfreeze explain lists all actions' : `did you mean ${near}?`,
  });
}
