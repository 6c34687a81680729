import {availableParallelism} from 'node:os';
import type {CollectLimits} from '../cache/collection.js';
import {defaultCacheDir} from '../cache/default-cache-dir.js';
import type {RemoteCache} from '../cache/remote/remote.js';
import {DEFAULT_LIMITS} from '../cache/tidy.js';
import {openSlots} from '../exec/job-slots.js';
import type {EventSink} from '../model/events.js';
import {fail, ok, type Result} from '../model/result.js';
import type {HostContext} from './build-options.js';

/** The limits of the cache. */
export interface LimitSettings {
  /** Megabytes. */
  readonly cacheMaxSize?: number | undefined;
  /** Days. */
  readonly cacheMaxAge?: number | undefined;
}

export interface RemoteCacheSettings {
  readonly remoteCache?: string | undefined;
  readonly remoteKey?: string | undefined;
  readonly remoteUpload?: boolean | undefined;
  readonly remoteCa?: string | undefined;
  readonly remoteCertificate?: string | undefined;
  readonly remoteCertificateKey?: string | undefined;
}

/** The options of every run. Paths are absolute. */
export interface RunSettings extends LimitSettings, RemoteCacheSettings {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cacheDir?: string | undefined;
  readonly trustCache?: boolean | undefined;
  readonly sharePrivate?: boolean | undefined;
  readonly jobs?: number | undefined;
  readonly force?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly linker?: HostContext['linker'];
  /** By default true. */
  readonly verify?: boolean | undefined;
}

export interface OpenContext {
  readonly context: HostContext;
  /** Returns job slots, and ends connections. */
  readonly close: () => void;
}

const BYTES_PER_MB = 1_000_000;

/** Makes the context of a run. Fails with USAGE or CONFIG for a remote cache that cannot be used. */
export async function openContext(
  settings: RunSettings,
  events: EventSink,
  signal: AbortSignal,
): Promise<Result<OpenContext>> {
  const {cwd, environment} = settings;
  const remote = await openRemoteCache(settings, environment, events, signal);
  if (!remote.ok) return remote;
  const {slots, isCutOff} = openSlots(settings.jobs, availableParallelism(), environment['MAKEFLAGS']);
  if (isCutOff) {
    events.emit({
      type: 'warning',
      message: "cannot connect to make's jobserver: actions run one at a time",
      hint: 'start the line of the recipe with +, or pass --jobs',
    });
  }
  const context = {
    events,
    signal,
    cwd,
    userEnvironment: environment,
    cacheDir: settings.cacheDir ?? defaultCacheDir(environment, cwd),
    trustCache: settings.trustCache,
    sharePrivate: settings.sharePrivate,
    cacheLimits: cacheLimits(settings),
    remote: remote.value,
    jobs: slots,
    force: settings.force ?? false,
    dryRun: settings.dryRun ?? false,
    verify: settings.verify ?? true,
    linker: settings.linker,
  };
  const close = (): void => {
    slots.close();
    remote.value?.close();
  };
  return ok({context, close});
}

/** The limits of the cache after builds. */
export function cacheLimits({cacheMaxSize, cacheMaxAge}: LimitSettings): CollectLimits {
  return {
    maxBytes: cacheMaxSize === undefined ? DEFAULT_LIMITS.maxBytes : cacheMaxSize * BYTES_PER_MB,
    maxAgeDays: cacheMaxAge ?? DEFAULT_LIMITS.maxAgeDays,
  };
}

/** The requested remote cache, if any. Fails with USAGE or CONFIG. */
export async function openRemoteCache(
  settings: RemoteCacheSettings,
  environment: Readonly<Record<string, string | undefined>>,
  events: EventSink,
  signal: AbortSignal,
): Promise<Result<RemoteCache | undefined>> {
  const {remoteCache: url, remoteKey: keyFile, remoteUpload: upload = false} = settings;
  if (url === undefined) {
    if (!upload) return ok(undefined);
    return fail('USAGE', 'uploads need a remote cache', {
      hint: 'pass its address, as with --remote-cache URL',
    });
  }
  // Imported here, because a run without a remote cache does not need protobuf.
  const {connectRemote} = await import('../cache/remote/connect.js');
  const tls = {
    authorities: settings.remoteCa,
    certificate: settings.remoteCertificate,
    key: settings.remoteCertificateKey,
  };
  return connectRemote({url, upload, keyFile, tls}, environment, events, signal);
}
