import type {OutputSpec} from '../../model/action.js';
import type {ActionSpec} from '../../model/action-spec.js';
import type {Digest} from '../../model/digest.js';
import type {Cause} from '../causes.js';
import {explainDifference} from '../explanations/key-difference.js';
import type {Journal, JournalEntry, JournalOutput} from '../records/journal.js';
import type {ActionKey} from '../keys.js';
import {holds} from '../execution/staging.js';
import {statFile, isExecutable} from '../../fs/path-state.js';
import type {Found} from '../execution/store-access.js';

/** The decision for an action, and its reasons. */
export type Decision =
  | {
      readonly kind: 'fresh';
      readonly outputs: Readonly<Record<string, JournalOutput>>;
      /** The size of the outputs together. */
      readonly bytes: number;
    }
  | {
      readonly kind: 'found';
      /** Why the existing outputs are not up to date. */
      readonly causes: readonly Cause[];
      readonly found: Found;
    }
  | {
      readonly kind: 'execute';
      readonly causes: readonly Cause[];
      /** The known digests of its outputs, if only the outputs are missing. */
      readonly expected?: Readonly<Record<string, JournalOutput>>;
    };

export interface DecideContext {
  readonly journal: Journal;
  readonly force: boolean;
  /** Whether an input has no digest yet, because its producer was not executed (a dry run). */
  readonly isPending: (digest: Digest) => boolean;
  /** Looks for an earlier result. */
  readonly lookUp: (spec: ActionSpec, key: ActionKey) => Promise<Found | undefined>;
}

/** Decides what to do for an action. A dry run and a real run make the same decision here. */
export async function decide(spec: ActionSpec, key: ActionKey, context: DecideContext): Promise<Decision> {
  const entry = context.journal.get(spec.id);
  if (context.force) return {kind: 'execute', causes: [{text: 'forced'}]};
  let causes = difference(entry, key, context.isPending);
  if (spec.inputs.some(({digest}) => context.isPending(digest))) return {kind: 'execute', causes};
  if (entry !== undefined && causes.length === 0) {
    const inspected = await inspect(spec.outputs, entry);
    const outdated = (spec.outdated ?? []).map((text) => ({text}));
    if (inspected.causes.length === 0 && outdated.length > 0) return {kind: 'execute', causes: outdated};
    if (inspected.causes.length === 0) {
      if (inspected.news) context.journal.set(spec.id, {...entry, outputs: inspected.outputs});
      return {kind: 'fresh', outputs: inspected.outputs, bytes: inspected.bytes};
    }
    causes = inspected.causes;
  }
  if (spec.storage === 'in-place') return {kind: 'execute', causes};
  const found = await context.lookUp(spec, key);
  if (found !== undefined) return {kind: 'found', causes, found};
  return {kind: 'execute', causes, ...(entry?.key === key.key ? {expected: entry.outputs} : {})};
}

/** The reasons why the last good state of an action is stale, except for its outputs. */
function difference(
  entry: JournalEntry | undefined,
  key: ActionKey,
  isPending: DecideContext['isPending'],
): Cause[] {
  if (entry === undefined) return [{text: 'first build'}];
  const unfinished = entry.unfinished === true ? [{text: 'the last run did not finish'}] : [];
  if (entry.key === key.key) return unfinished;
  const before = {text: entry.record, producers: entry.producers};
  return [...explainDifference(before, key, isPending), ...unfinished];
}

interface Inspected {
  readonly causes: Cause[];
  readonly bytes: number;
  readonly outputs: Readonly<Record<string, JournalOutput>>;
  /** Whether a stamp was learned that is worth keeping. */
  readonly news: boolean;
}

/** Checks that every output is in place and unchanged. Reads only those whose stamps do not prove it. */
async function inspect(specs: readonly OutputSpec[], entry: JournalEntry): Promise<Inspected> {
  const causes: Cause[] = [];
  let bytes = 0;
  const outputs: Record<string, JournalOutput> = {};
  let news = false;
  for (const spec of specs) {
    const left = entry.outputs[spec.name];
    const found = statFile(spec.path);
    if (left === undefined || found === undefined) {
      causes.push({text: `output ${spec.name} is missing`});
      continue;
    }
    const unchanged = left.stamp === found.stamp || (await holds(spec.path, left));
    if (!unchanged || (spec.executable === true && !isExecutable(found))) {
      causes.push({text: `output ${spec.name} was changed outside of the build`});
      continue;
    }
    bytes += found.size;
    const stamp = found.settled ? found.stamp : null;
    news ||= stamp !== left.stamp;
    outputs[spec.name] = {digest: left.digest, stamp};
  }
  return {causes, bytes, outputs, news};
}
