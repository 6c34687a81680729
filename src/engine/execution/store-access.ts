import type {ActionRecord, StoredOutput} from '../../cache/record.js';
import type {RemoteCache} from '../../cache/remote/remote.js';
import type {Store} from '../../cache/store.js';
import type {ActionSpec} from '../../model/action-spec.js';
import type {Digest} from '../../model/digest.js';
import type {EventSink} from '../../model/events.js';
import type {Failure} from '../../model/failure.js';
import {ok, type Result} from '../../model/result.js';
import type {ActionKey} from '../keys.js';
import {secrecyOf} from './secrecy.js';

/** An earlier result, and its source: the local or the remote cache. */
export interface Found {
  readonly record: ActionRecord;
  readonly origin: 'cached' | 'remote';
}

/** Access to earlier results: a failure of a cache is a warning, and never fails a build. */
export interface StoreAccess {
  /** The result for a key, if there is one with the declared outputs. */
  readonly get: (spec: ActionSpec, key: ActionKey) => Promise<Found | undefined>;
  /** Keeps a result in the store. */
  readonly put: (
    spec: ActionSpec,
    key: ActionKey,
    record: ActionRecord,
    files: Readonly<Record<string, string>>,
  ) => Promise<void>;
  /** Uploads a new result; `files` must not change meanwhile. Returns at once. */
  readonly offer: (
    spec: ActionSpec,
    key: ActionKey,
    record: ActionRecord,
    files: Readonly<Record<string, string>>,
  ) => void;
  /** Whether an output was copied to `path`. Fails with IO when `path` cannot be written. */
  readonly materialise: (
    key: ActionKey,
    output: StoredOutput,
    origin: Found['origin'],
    path: string,
  ) => Promise<Result<boolean>>;
  /** Waits for pending work. */
  readonly finish: () => Promise<void>;
}

/**
 * Uses the local cache first, then the remote cache. Either may be undefined. What others may not read is put where others can get it only
 * with `sharePrivate`.
 */
export function createStoreAccess(
  store: Store | undefined,
  remote: RemoteCache | undefined,
  events: EventSink,
  sharePrivate = false,
): StoreAccess {
  const warn = (warnings: readonly string[]): void => {
    for (const message of warnings) events.emit({type: 'warning', message});
  };
  /** After the first failure to read or write, there is no further attempt, which would only cost time and warn again. */
  const failed = {read: false, written: false};
  const giveUp = (what: keyof typeof failed, reason: Failure): void => {
    if (!failed[what]) warn([`the cache cannot be ${what} and is not used: ${reason.message}`]);
    failed[what] = true;
  };

  /** The actions whose results were not shared. */
  const withheld = {store: new Set<string>(), remote: new Set<string>()};
  function mayShare(spec: ActionSpec, where: keyof typeof withheld): boolean {
    const secrecy = sharePrivate ? undefined : secrecyOf(spec);
    if (secrecy === 'private') withheld[where].add(spec.id);
    return secrecy === undefined;
  }

  async function getStored(key: Digest): Promise<ActionRecord | undefined> {
    if (store === undefined || failed.read) return undefined;
    const found = await store.get(key);
    if (!found.ok) {
      giveUp('read', found.failure);
      return undefined;
    }
    warn(found.value.warnings);
    return found.value.record;
  }

  return {
    async get(spec, {key, text}) {
      const serves = (record: ActionRecord | undefined): record is ActionRecord => {
        const stored = new Set(record?.outputs.map(({name}) => name));
        return spec.outputs.every(({name}) => stored.has(name));
      };
      const stored = await getStored(key);
      if (serves(stored)) return {record: stored, origin: 'cached'};
      const remembered = await remote?.get(key, text);
      return serves(remembered) ? {record: remembered, origin: 'remote'} : undefined;
    },
    async put(spec, {key}, record, files) {
      if (store === undefined || failed.written) return;
      if (store.isShared && !mayShare(spec, 'store')) return;
      const kept = await store.put(key, record, files);
      if (!kept.ok) giveUp('written', kept.failure);
    },
    offer(spec, {key}, record, files) {
      if (remote?.uploads === true && mayShare(spec, 'remote')) remote.offer(key, record, files);
    },
    async materialise({key}, output, origin, path) {
      const copied = failed.read ? undefined : await store?.materialise(output, path);
      if (copied?.ok === false) return copied;
      warn(copied?.value.warnings ?? []);
      if (copied?.value.hit === true) return ok(true);
      if (origin !== 'remote' || remote === undefined) return ok(false);
      return remote.download(key, output, path);
    },
    async finish() {
      const {size} = new Set([...withheld.store, ...withheld.remote]);
      if (size > 0) {
        const where = withheld.remote.size > 0 ? 'uploaded' : 'put into the shared cache';
        const message = `results of ${size} actions are made from files that other users may not read, and are not ${where}`;
        events.emit({type: 'notice', message: `${message} (--share-private does it)`});
      }
      await remote?.finish();
    },
  };
}
