import type {ActionId} from '../model/action.js';
import {isNumber, isText, isTrue, listOf, objectWith, oneOf, optional} from '../model/shape.js';

/** One reason why an action is not up to date. */
export interface Cause {
  /** As text, such as `input compile:json.decoder changed`. */
  readonly text: string;
  /** The action whose output this is about; its own causes explain why that changed. */
  readonly producer?: ActionId;
}

/** The account of an action: the last time that it was not up to date. */
export interface Account {
  /** The start time of that run, ISO 8601 in UTC, so that runs sort by it. */
  readonly run: string;
  readonly outcome: 'executed' | 'cached' | 'remote' | 'failed';
  /** The first of its causes, and how many there were. */
  readonly causes: readonly Cause[];
  readonly causeCount: number;
  /** The root causes, such as `Lib/json/decoder.py changed`. Empty if the causes have no further causes. */
  readonly roots: readonly string[];
  readonly rootCount: number;
  /** Its outputs are unchanged, so no dependent action had to run because of it. */
  readonly sameOutputs?: true;
}

const isCause = objectWith<Cause>({text: isText, producer: optional(isText)});
/** The schema of a stored account. */
export const accountCheck = objectWith<Account>({
  run: isText,
  outcome: oneOf('executed', 'cached', 'remote', 'failed'),
  causes: listOf(isCause),
  causeCount: isNumber,
  roots: listOf(isText),
  rootCount: isNumber,
  sameOutputs: optional(isTrue),
});

/** What is known before an action is handled. */
export type Why = Omit<Account, 'outcome' | 'sameOutputs'>;

/** A limit for the journal when a whole interpreter changed. */
const KEPT_CAUSES = 12;
const KEPT_ROOTS = 5;

/**
 * Follows causes to their roots.
 * @param accountOf the accounts of the actions that made the inputs
 */
export function explainWhy(
  run: string,
  causes: readonly Cause[],
  accountOf: (id: ActionId) => Why | undefined,
): Why {
  const roots = new Set<string>();
  let uncounted = 0;
  for (const {producer} of causes) {
    const account = producer === undefined ? undefined : accountOf(producer);
    if (producer === undefined || account === undefined) continue;
    for (const root of account.roots) roots.add(root);
    uncounted += account.rootCount - account.roots.length;
    for (const cause of account.causes) {
      if (cause.producer === undefined) roots.add(rootText(cause, producer));
    }
  }
  return {
    run,
    causes: causes.slice(0, KEPT_CAUSES),
    causeCount: causes.length,
    roots: [...roots].slice(0, KEPT_ROOTS),
    rootCount: roots.size + uncounted,
  };
}

/** The text of a cause outside of its action: files and tools need no context, the rest names the action. */
function rootText({text}: Cause, id: ActionId): string {
  if (text.startsWith('input ')) return text.slice('input '.length);
  return text.startsWith('tool ') ? text : `${id}: ${text}`;
}

/** One line of text: the first cause, its root, and the number of further ones of each. */
export function sentence({causes, causeCount, roots, rootCount}: Why): string {
  const because = first(roots, rootCount);
  const own = first(
    causes.map(({text}) => text),
    causeCount,
  );
  return because === undefined ? (own ?? 'unknown reason') : `${own ?? ''}; because ${because}`;
}

/** The first of several lines, and the number of further ones. */
function first(lines: readonly string[], count: number): string | undefined {
  const [line] = lines;
  return line === undefined || count < 2 ? line : `${line} (and ${count - 1} more)`;
}
