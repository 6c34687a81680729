import {basename, join} from 'node:path';
import {digestOf} from '../model/digest.js';
import {canonicalJson} from '../model/canonical-json.js';
import type {HostKind} from './host.js';

/** The default build directory: in the cache, one for each Python and output. */
export function defaultBuildDir(
  host: HostKind,
  {python, out}: {readonly python: string; readonly out: string},
  cacheDir: string,
): string {
  const short = digestOf(canonicalJson([host, python, out])).slice(0, 12);
  return join(cacheDir, 'builds', `${basename(out)}-${short}`);
}
