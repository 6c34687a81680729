import {readFile} from '../../fs/recorded-fs.js';
import type {EventSink} from '../../model/events.js';
import {failure} from '../../model/failure.js';
import {err, ok, type Result} from '../../model/result.js';
import {ioFailure} from '../../fs/files.js';
import type {TlsPaths} from './credentials.js';
import {openRemote, type RemoteCache} from './remote.js';
import {parseKey, type SigningKey} from './signing.js';

/** A remote cache as a user asks for it. */
export interface RemoteSettings {
  readonly url: string;
  readonly upload: boolean;
  /** A file with the key; the environment's `FLASHFREEZE_CACHE_KEY` comes before it. */
  readonly keyFile: string | undefined;
  readonly tls?: TlsPaths;
}

const VARIABLE = 'FLASHFREEZE_CACHE_KEY';

/**
 * Prepares the use of a remote cache; sends no request yet. Returns nothing, with a warning, when a key is expected and
 * missing: continuing without one would mean trusting everybody. Fails with CONFIG.
 */
export async function connectRemote(
  {url, upload, keyFile, tls = {}}: RemoteSettings,
  environment: Readonly<Record<string, string | undefined>>,
  events: EventSink,
  signal: AbortSignal,
): Promise<Result<RemoteCache | undefined>> {
  const fromEnvironment = environment[VARIABLE]?.trim();
  let signingKey: Result<SigningKey | undefined> = ok(undefined);
  if (fromEnvironment !== undefined && fromEnvironment !== '')
    signingKey = parseKey(fromEnvironment, VARIABLE);
  else if (keyFile !== undefined) signingKey = await readKey(keyFile);
  else if (fromEnvironment === '') {
    // A secret is empty where it is not available, such as in the CI of a fork.
    events.emit({type: 'warning', message: `${VARIABLE} is empty: building without the remote cache`});
    return ok(undefined);
  }
  if (!signingKey.ok) return signingKey;
  return openRemote({url, upload, signingKey: signingKey.value, tls, environment, events, signal});
}

async function readKey(path: string): Promise<Result<SigningKey>> {
  try {
    return parseKey(await readFile(path, 'utf8'), path);
  } catch (error) {
    return err(failure('CONFIG', ioFailure('read', path, error).message));
  }
}
