import {basename, join} from 'node:path';
import {privateCacheDir} from '../cache/private-cache-dir.js';
import {digestOf} from '../model/digest.js';
import {canonicalJson} from '../model/canonical-json.js';
import type {HostKind} from './host.js';

/**
 * The default build directory, one for each Python and output: in the cache directory, or in the user's own one where others may write
 * to it. What makes actions fresh is believed, so no other user may have written it.
 */
export function defaultBuildDir(
  host: HostKind,
  {python, out}: {readonly python: string; readonly out: string},
  cacheDir: string,
): string {
  const short = digestOf(canonicalJson([host, python, out])).slice(0, 12);
  return join(defaultBuildsDir(cacheDir), `${basename(out)}-${short}`);
}

/** Where all of them lie. */
export function defaultBuildsDir(cacheDir: string): string {
  return join(privateCacheDir(cacheDir), 'builds');
}
