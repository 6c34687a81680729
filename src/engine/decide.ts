import type {ActionSpec, OutputSpec} from '../model/action.js';
import type {Digest} from '../model/digest.js';
import {explainDifference} from './explain.js';
import type {Journal, JournalEntry, JournalOutput} from './journal.js';
import type {ActionKey, KeyRecord} from './keys.js';
import {holds} from './staging.js';
import {glance, isExecutable} from './stamps.js';
import type {Found} from './store-access.js';

/** What is to be done for an action, and why. */
export type Decision =
  | {
      readonly kind: 'fresh';
      readonly reasons: readonly string[];
      readonly outputs: Readonly<Record<string, JournalOutput>>;
    }
  | {
      readonly kind: 'found';
      readonly reasons: readonly string[];
      readonly found: Found;
      /** The reasons to execute the action, should the result not be to be had after all. */
      readonly otherwise: readonly string[];
    }
  | {readonly kind: 'execute'; readonly reasons: readonly string[]};

export interface DecideContext {
  readonly journal: Journal;
  readonly force: boolean;
  /** Whether an input has no digest yet, because its producer was not executed (a dry run). */
  readonly isPending: (digest: Digest) => boolean;
  /** Looks for an earlier result. */
  readonly lookUp: (spec: ActionSpec, key: ActionKey) => Promise<Found | undefined>;
}

/** Decides what to do for an action. A dry run and a real one come to the same decision here. */
export async function decide(spec: ActionSpec, key: ActionKey, context: DecideContext): Promise<Decision> {
  const entry = context.journal.get(spec.id);
  if (context.force) return {kind: 'execute', reasons: ['forced']};
  const pending = new Set<string>();
  for (const {name, digest} of spec.inputs) if (context.isPending(digest)) pending.add(name);
  if (pending.size > 0) {
    const unknown = [...pending].map((name) => `input ${name} may change`);
    return {kind: 'execute', reasons: [...difference(entry, key, pending), ...unknown]};
  }
  let reasons = difference(entry, key);
  if (entry !== undefined && reasons.length === 0) {
    const inspected = await inspect(spec.outputs, entry);
    if (inspected.reasons.length === 0) {
      if (inspected.news) context.journal.set(spec.id, {...entry, outputs: inspected.outputs});
      return {kind: 'fresh', reasons: ['up to date'], outputs: inspected.outputs};
    }
    reasons = inspected.reasons;
  }
  const found = spec.storage === 'shared' ? await context.lookUp(spec, key) : undefined;
  if (found === undefined) return {kind: 'execute', reasons};
  return {kind: 'found', reasons: [WHERE[found.origin]], found, otherwise: reasons};
}

const WHERE = {cached: 'result in the cache', remote: 'result in the remote cache'};

/**
 * What speaks against the last good state of an action, leaving aside its outputs, and the inputs in `except`.
 */
function difference(
  entry: JournalEntry | undefined,
  key: ActionKey,
  except: ReadonlySet<string> = new Set(),
): string[] {
  if (entry === undefined) return ['first build'];
  const unfinished = entry.unfinished === true ? ['the last run did not finish'] : [];
  if (entry.key === key.key) return unfinished;
  const known = (record: KeyRecord): KeyRecord => ({
    ...record,
    inputs: record.inputs.filter(({name}) => !except.has(name)),
  });
  return [
    ...explainDifference(known(JSON.parse(entry.record) as KeyRecord), known(key.record)),
    ...unfinished,
  ];
}

interface Inspected {
  readonly reasons: string[];
  readonly outputs: Readonly<Record<string, JournalOutput>>;
  /** Whether a stamp was learned that is worth keeping. */
  readonly news: boolean;
}

/** Looks whether every output is in its place, as it was left. Reads only those whose stamps do not tell. */
async function inspect(specs: readonly OutputSpec[], entry: JournalEntry): Promise<Inspected> {
  const reasons: string[] = [];
  const outputs: Record<string, JournalOutput> = {};
  let news = false;
  for (const spec of specs) {
    const left = entry.outputs[spec.name];
    const found = glance(spec.path);
    if (left === undefined || found === undefined) {
      reasons.push(`output ${spec.name} is missing`);
      continue;
    }
    const unchanged = left.stamp === found.stamp || (await holds(spec.path, left));
    if (!unchanged || (spec.executable === true && !isExecutable(found))) {
      reasons.push(`output ${spec.name} was changed by someone`);
      continue;
    }
    const stamp = found.settled ? found.stamp : null;
    news ||= stamp !== left.stamp;
    outputs[spec.name] = {digest: left.digest, stamp};
  }
  return {reasons, outputs, news};
}
