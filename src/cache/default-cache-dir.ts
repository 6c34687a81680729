import {join, resolve} from 'node:path';
import {homeDirectory} from '../fs/home-directory.js';

/** Where results are kept unless the user chooses a directory (XDG Base Directory Specification 0.8: relative is invalid). */
export function defaultCacheDir(
  environment: Readonly<Record<string, string | undefined>>,
  cwd: string,
): string {
  const own = environment['FLASHFREEZE_CACHE_DIR'] ?? '';
  if (own !== '') return resolve(cwd, own);
  const shared = environment['XDG_CACHE_HOME'] ?? '';
  return join(shared.startsWith('/') ? shared : join(homeDirectory(environment), '.cache'), 'flashfreeze');
}
