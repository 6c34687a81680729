import {lstatSync} from 'node:fs';
import {defaultCacheDir} from './default-cache-dir.js';
import {foreignLinkOn, linksOn} from '../fs/links.js';
import {isOnlyOurs, openDirectoryAbove, ownUser} from '../fs/owners.js';
import {realpathOf} from '../fs/private-directory.js';

/**
 * Where build directories, memos and source trees lie, which nothing verifies: in the cache directory if only this user may change it,
 * else in the user's own one. What they hold decides what runs.
 */
export function privateCacheDir(
  cacheDir: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (isPrivate(cacheDir)) return cacheDir;
  // FLASHFREEZE_CACHE_DIR may well be the shared one.
  const own = defaultCacheDir({...environment, FLASHFREEZE_CACHE_DIR: undefined}, '/');
  return isPrivate(own) ? own : `${own}-private`;
}

/** Whether a directory belongs to this user, and nobody else can change or replace what is in it. It need not exist yet. */
function isPrivate(path: string): boolean {
  try {
    const real = realpathOf(path);
    const stats = lstatSync(real, {throwIfNoEntry: false});
    if (stats !== undefined && !(stats.uid === ownUser() && stats.isDirectory() && isOnlyOurs(real, stats)))
      return false;
    // A link is as safe as the directory that it lies in.
    if (
      foreignLinkOn(path) !== undefined ||
      linksOn(path).some((link) => openDirectoryAbove(link) !== undefined)
    )
      return false;
    return openDirectoryAbove(real) === undefined;
  } catch {
    return false;
  }
}
