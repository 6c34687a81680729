import {lstat, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {errnoOf} from '../model/errno.js';
import {isTemporary} from './files.js';
import {isForeign} from './owners.js';
import {removeFile, removeFlatDirectorySync} from './removal.js';

/**
 * Removes from directories what runs left there that were killed: files with temporary names, and the flat directories in which programs write, of
 * this user, whose process has ended.
 * @param minAgeMs how long nothing has changed in them: where runs in other containers or on other machines may write, their processes are not seen
 */
export async function removeLeftovers(folders: readonly string[], minAgeMs = 0): Promise<void> {
  for (const folder of folders) {
    for (const name of (await readdir(folder).catch(() => [])).filter(isTemporary)) {
      const owner = /^\.new-(\d{1,10})-[0-9a-f]{24}$/.exec(name)?.[1];
      if (owner === undefined || isRunning(Number(owner))) continue;
      const path = join(folder, name);
      const found = await lstat(path).catch(() => undefined);
      if (found === undefined || isForeign(found) || Date.now() - found.mtimeMs < minAgeMs) continue;
      if (found.isDirectory()) removeFlatDirectorySync(path);
      else await removeFile(path);
    }
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // EPERM: it is of another user.
    return errnoOf(error) !== 'ESRCH';
  }
}
