import type {ActionId} from '../model/action.js';
import {isNumber, isText, isTrue, listOf, objectWith, oneOf, optional} from '../model/shape.js';

/** One reason why an action is not up to date. */
export interface Cause {
  /** In words of the build, such as `input compile:json.decoder changed`. */
  readonly text: string;
  /** The action whose output this is about: why *that* changed is told by its own causes. */
  readonly producer?: ActionId;
}

/** How an action came to be as it is: the last time that it was not up to date. */
export interface Account {
  /** The run in which that was: when it began, ISO 8601 in UTC, so that runs sort by it. */
  readonly run: string;
  readonly outcome: 'executed' | 'cached' | 'remote' | 'failed';
  /** The first of its causes, and how many there were. */
  readonly causes: readonly Cause[];
  readonly causeCount: number;
  /** Where the chains of causes begin, such as `Lib/json/decoder.py changed`. Empty when the causes are all there is. */
  readonly roots: readonly string[];
  readonly rootCount: number;
  /** Its outputs came out as they were before, so nothing after it had to run for it. */
  readonly sameOutputs?: true;
}

const isCause = objectWith<Cause>({text: isText, producer: optional(isText)});
/** The form of an account that is read back. */
export const accountCheck = objectWith<Account>({
  run: isText,
  outcome: oneOf('executed', 'cached', 'remote', 'failed'),
  causes: listOf(isCause),
  causeCount: isNumber,
  roots: listOf(isText),
  rootCount: isNumber,
  sameOutputs: optional(isTrue),
});

/** What is known before anything is done about an action. */
export type Why = Omit<Account, 'outcome' | 'sameOutputs'>;

/** No journal grows beyond measure because the whole of an interpreter changed. */
const KEPT_CAUSES = 12;
const KEPT_ROOTS = 5;

/**
 * Follows causes to where they begin.
 * @param accountOf how the actions that made the inputs came to be as they are
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

/** What a cause is called elsewhere: files and tools speak for themselves, the rest belongs to an action. */
function rootText({text}: Cause, id: ActionId): string {
  if (text.startsWith('input ')) return text.slice('input '.length);
  return text.startsWith('tool ') ? text : `${id}: ${text}`;
}

/** A line for people: the first cause, where it begins, and how many more there are of each. */
export function sentence({causes, causeCount, roots, rootCount}: Why): string {
  const because = first(roots, rootCount);
  const own = first(
    causes.map(({text}) => text),
    causeCount,
  );
  return because === undefined ? (own ?? 'unknown reason') : `${own ?? ''}; because ${because}`;
}

/** One line out of several: the first, and how many more there are. */
function first(lines: readonly string[], count: number): string | undefined {
  const [line] = lines;
  return line === undefined || count < 2 ? line : `${line} (and ${count - 1} more)`;
}
