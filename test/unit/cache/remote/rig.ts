import {join} from 'node:path';
import {openRemote, type RemoteCache, type RemoteOptions} from '../../../../src/cache/remote/remote.js';
import {parseKey, type SigningKey} from '../../../../src/cache/remote/signing.js';
import type {EngineOptions} from '../../../../src/engine/engine.js';
import type {ActionSpec} from '../../../../src/model/action-spec.js';
import {build, makeToy, ofType, recorder, storeIn, type Built, type Toy} from '../../engine/toys.js';

/** The sources of the toy that the machines of a test build. */
export const SOURCES = {a: 'A1\n', b: 'B1\n', c: 'C1\n'};
export const ACTIONS = ['cc:a', 'cc:b', 'cc:c', 'link:program'];

export interface Machine {
  readonly toy: Toy;
  /** Where its store is. */
  readonly storeDir: string;
}

/** A machine of its own: the same sources, another build directory, an empty store. */
export async function machine(folder: string, name: string): Promise<Machine> {
  return {toy: await makeToy(join(folder, name), SOURCES), storeDir: join(folder, name, 'store')};
}

export interface RemoteBuild extends Built {
  /** All warnings of the engine and of the remote cache. */
  readonly warnings: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

export type Settings = Partial<RemoteOptions> & Pick<RemoteOptions, 'url'>;

export async function remoteOf(settings: Settings): Promise<{remote: RemoteCache; warnings: () => string[]}> {
  const record = recorder();
  const remote = await openRemote({
    upload: false,
    signingKey: undefined,
    events: record,
    signal: new AbortController().signal,
    // A server that answers is waited for, however busy the machine is.
    patienceMs: 60_000,
    waitingMs: 1e9,
    ...settings,
  });
  if (!remote.ok) throw new Error(remote.failure.message);
  return {remote: remote.value, warnings: () => ofType(record, 'warning').map(({message}) => message)};
}

/** One run on a machine. */
export async function buildOn(
  {toy, storeDir}: Machine,
  settings: Settings,
  options: Partial<EngineOptions> = {},
  change?: (spec: ActionSpec) => ActionSpec,
): Promise<RemoteBuild> {
  const {remote, warnings} = await remoteOf(settings);
  const built = await build(toy, {store: await storeIn(storeDir), remote, ...options}, change);
  remote.close();
  return {
    ...built,
    warnings: [...ofType(built.record, 'warning').map(({message}) => message), ...warnings()],
    counts: {...built.engine.summary().counts},
  };
}

export function keyFrom(text: string): SigningKey {
  const key = parseKey(text, 'test');
  if (!key.ok) throw new Error(key.failure.message);
  return key.value;
}
