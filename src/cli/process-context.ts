import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import type {TextStream} from '../report/stream.js';

/** What a run finds around itself. */
export interface Surroundings {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Where results are kept unless `--cache-dir` says otherwise (XDG Base Directory Specification 0.8: relative is invalid). */
export function defaultCacheDir({environment, cwd}: Pick<Surroundings, 'environment' | 'cwd'>): string {
  const own = environment['FLASHFREEZE_CACHE_DIR'] ?? '';
  if (own !== '') return resolve(cwd, own);
  const shared = environment['XDG_CACHE_HOME'] ?? '';
  return join(shared.startsWith('/') ? shared : join(homedir(), '.cache'), 'flashfreeze');
}
