import type {CollectLimits} from '../../cache/collection.js';
import type {RemoteCache} from '../../cache/remote/remote.js';
import {DEFAULT_LIMITS} from '../../cache/tidy.js';
import type {EventSink} from '../../model/events.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {OptionValues} from './option-table.js';

const BYTES_PER_MB = 1_000_000;

/** What builds leave in the cache. */
export function limitsFrom(options: OptionValues): CollectLimits {
  const megabytes = options['cache-max-size'];
  return {
    maxBytes: megabytes === undefined ? DEFAULT_LIMITS.maxBytes : megabytes * BYTES_PER_MB,
    maxAgeDays: options['cache-max-age'] ?? DEFAULT_LIMITS.maxAgeDays,
  };
}

/** The remote cache that was asked for, if one was. Fails with USAGE or CONFIG. */
export async function remoteFrom(
  options: OptionValues,
  environment: Readonly<Record<string, string | undefined>>,
  events: EventSink,
  signal: AbortSignal,
): Promise<Result<RemoteCache | undefined>> {
  const {'remote-cache': url, 'remote-key': keyFile, 'remote-upload': upload = false} = options;
  if (url === undefined) {
    if (!upload) return ok(undefined);
    return fail('USAGE', '--remote-upload needs a remote cache', {
      hint: 'pass its address with --remote-cache',
    });
  }
  // Here and not at the top: a run without a remote cache has no use for protobuf.
  const {connectRemote} = await import('../../cache/remote/connect.js');
  return connectRemote({url, upload, keyFile}, environment, events, signal);
}
