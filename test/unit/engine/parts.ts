/** What tests of the engine's parts give them: declarations, and a journal in memory. */
import type {JournalEntry} from '../../../src/engine/records/journal.js';
import type {ActionId} from '../../../src/model/action.js';
import type {ActionSpec} from '../../../src/model/action-spec.js';
import {digestOf} from '../../../src/model/digest.js';
import {ok, type Result} from '../../../src/model/result.js';
import type {Recorder} from './toys.js';

/** An action that reads nothing and succeeds without writing anything, but for what `change` says. */
export function specOf(id: ActionId, change: Partial<ActionSpec> = {}): ActionSpec {
  return {
    id,
    tools: [],
    arguments: null,
    environment: {},
    inputs: [],
    outputs: [{name: 'out', path: `/nowhere/${id}`}],
    storage: 'shared',
    execute: () => Promise.resolve(ok()),
    ...change,
  };
}

/** A journal in memory, which counts how often it was saved. */
export class MemoryJournal {
  readonly entries = new Map<string, JournalEntry>();
  saves = 0;
  readonly get = (id: string): JournalEntry | undefined => this.entries.get(id);
  readonly ids = (): readonly ActionId[] => [...this.entries.keys()] as ActionId[];
  readonly set = (id: string, entry: JournalEntry): void => void this.entries.set(id, entry);
  readonly saveNowAndThen = (): Promise<void> => Promise.resolve();
  readonly record = (): void => undefined;
  readonly save = (): Promise<Result<void>> => {
    this.saves += 1;
    return Promise.resolve(ok());
  };
}

/** A journal entry with outputs of these contents, whose stamps cannot be relied on. */
export function entryOf(
  change: Partial<JournalEntry> & {readonly contents?: Record<string, string>},
): JournalEntry {
  const {contents = {}, ...rest} = change;
  const outputs = Object.entries(contents).map(([name, text]) => [
    name,
    {digest: digestOf(text), stamp: null},
  ]);
  return {
    key: digestOf('key'),
    record: '{}',
    outputs: Object.fromEntries(outputs) as JournalEntry['outputs'],
    ...rest,
  };
}

/** The messages of warnings, in order. */
export function warningsOf({events}: Recorder): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
}
