import {realpathSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
import {isOwnGroup} from './owners.js';

/*
 * Who may read a path. What everybody may read may be given to everybody; what lies below a directory that others may not enter, they
 * may not read.
 */

/** Permissions of the group deny: what others may and the group may not, its members may not. */
const ALL_READ = 0o044;
const ALL_ENTER = 0o011;
const OTHERS_ENTER = 0o001;
const GROUP_ENTERS = 0o010;

/** Whether every user of the machine may read a file. False for one that is not there. */
export function isReadableByAll(path: string): boolean {
  try {
    const real = realpathSync(path);
    return (statSync(real).mode & ALL_READ) === ALL_READ && isEnteredBy('all', dirname(real));
  } catch {
    return false;
  }
}

/** Whether the permissions of a file itself let every user read it. */
export function isReadableFile(path: string): boolean {
  const stats = statSync(path, {throwIfNoEntry: false});
  return stats !== undefined && (stats.mode & ALL_READ) === ALL_READ;
}

/** Whether some user other than this one and root may reach what is in a directory. */
export function isReachedByOthers(folder: string): boolean {
  try {
    return isEnteredBy('some', realpathSync(folder));
  } catch {
    return true;
  }
}

const known = {all: new Map<string, boolean>(), some: new Map<string, boolean>()};

/** Whether all others, or some of them, may enter a directory and those above it. The path has no links in it. */
function isEnteredBy(who: 'all' | 'some', folder: string): boolean {
  const before = known[who].get(folder);
  if (before !== undefined) return before;
  const {mode, gid} = statSync(folder);
  const bySome = (): boolean => (mode & GROUP_ENTERS) !== 0 && !isOwnGroup(folder, gid);
  const here = who === 'all' ? (mode & ALL_ENTER) === ALL_ENTER : (mode & OTHERS_ENTER) !== 0 || bySome();
  const is = here && (dirname(folder) === folder || isEnteredBy(who, dirname(folder)));
  known[who].set(folder, is);
  return is;
}

/** Forgets what directories were like, for the next of several builds in one process. */
export function forgetReaders(): void {
  for (const map of Object.values(known)) map.clear();
}
