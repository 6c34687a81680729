import type {ActionRecord, StoredOutput} from '../cache/record.js';
import type {Store} from '../cache/store.js';
import type {ActionSpec} from '../model/action.js';
import type {Digest} from '../model/digest.js';
import type {EventSink} from '../model/events.js';
import type {Failure} from '../model/failure.js';
import {ok, type Result} from '../model/result.js';

/** The store as the engine uses it: whatever is wrong with it is a warning, never the end of a build. */
export interface StoreAccess {
  /** The result under a key, if it is there and made for the outputs that the action declares. */
  readonly get: (spec: ActionSpec, key: Digest) => Promise<ActionRecord | undefined>;
  readonly put: (key: Digest, record: ActionRecord, files: Readonly<Record<string, string>>) => Promise<void>;
  /** Whether an output was copied to `path`. Fails with IO when `path` cannot be written. */
  readonly materialise: (output: StoredOutput, path: string) => Promise<Result<boolean>>;
}

export function createStoreAccess(store: Store | undefined, events: EventSink): StoreAccess {
  const warn = (warnings: readonly string[]): void => {
    for (const message of warnings) events.emit({type: 'warning', message});
  };
  /** After the first failure to read or to write no other try is made: it would only cost time and warn again. */
  const failed = {read: false, written: false};
  const giveUp = (what: keyof typeof failed, reason: Failure): void => {
    if (!failed[what]) warn([`the cache cannot be ${what} and is left alone: ${reason.message}`]);
    failed[what] = true;
  };
  return {
    async get(spec, key) {
      if (store === undefined || failed.read) return undefined;
      const found = await store.get(key);
      if (!found.ok) {
        giveUp('read', found.failure);
        return undefined;
      }
      const {record, warnings} = found.value;
      warn(warnings);
      const stored = new Set(record?.outputs.map(({name}) => name));
      return spec.outputs.every(({name}) => stored.has(name)) ? record : undefined;
    },
    async put(key, record, files) {
      if (store === undefined || failed.written) return;
      const kept = await store.put(key, record, files);
      if (!kept.ok) giveUp('written', kept.failure);
    },
    async materialise(output, path) {
      const copied = await store?.materialise(output, path);
      if (copied === undefined) return ok(false);
      if (!copied.ok) return copied;
      warn(copied.value.warnings);
      return ok(copied.value.hit);
    },
  };
}
