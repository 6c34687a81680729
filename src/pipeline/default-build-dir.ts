import {basename, join} from 'node:path';
import {digestOf} from '../model/digest.js';
import {canonicalJson} from '../model/canonical-json.js';
import type {HostKind} from './host.js';

/** The build directory of a host that needs none of the user's: in the cache, one for each Python and place. */
export function defaultBuildDir(
  host: HostKind,
  {python, out}: {readonly python: string; readonly out: string},
  cacheDir: string,
): string {
  const short = digestOf(canonicalJson([host, python, out])).slice(0, 12);
  return join(cacheDir, 'builds', `${basename(out)}-${short}`);
}
