import {constants, realpathSync} from 'node:fs';
import {lstat, mkdir, open} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {errnoOf} from '../model/errno.js';
import {err, fail, ok, type Result} from '../model/result.js';
import {attempt, ensureFolder, ioFailure} from './files.js';
import {foreignLinkOn} from './links.js';
import {isForeign, isOnlyOurs, nameOfUser, openDirectoryAbove, othersMayRead, ownUser} from './owners.js';

/** The real path of what exists of a path, with the rest of it. */
export function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return join(realpathOf(dirname(path)), basename(path));
  }
}

const PRIVATE = 0o700;

/**
 * Makes a directory that only this user may enter, or takes away the permissions of others. Fails with IO for one of another user, for
 * a link, behind a link of another user, and in a directory in which others can replace it.
 */
export async function ensurePrivate(path: string): Promise<Result<void>> {
  const link = foreignLinkOn(path);
  if (link !== undefined) {
    const owner = nameOfUser(link.uid);
    return fail('IO', `${path} lies behind ${link.path}, a symbolic link of ${owner}`, {hint: HINT});
  }
  const above = await ensureFolder(dirname(path), PRIVATE);
  if (!above.ok) return err({...above.failure, hint: above.failure.hint ?? ELSEWHERE});
  try {
    await mkdir(path, PRIVATE).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    const opened = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const stats = await opened.stat();
      if (stats.uid !== ownUser())
        return fail('IO', `${path} belongs to ${nameOfUser(stats.uid)}`, {hint: HINT});
      if (othersMayRead(path, stats) || !isOnlyOurs(path, stats)) await opened.chmod(PRIVATE);
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return fail('IO', `${path} is a symbolic link`, {hint: HINT});
    return err(ioFailure('create', path, error));
  }
  return checkAbove(path);
}

/** Fails with IO if others can replace a directory that is there. */
async function checkAbove(path: string): Promise<Result<void>> {
  const above = openDirectoryAbove(realpathOf(path));
  if (above === undefined) return ok();
  const stats = await lstat(above).catch(() => undefined);
  if (stats !== undefined && isForeign(stats)) {
    return fail('IO', `${path} lies in ${above}, which belongs to ${nameOfUser(stats.uid)}`, {
      hint: ELSEWHERE,
    });
  }
  return fail('IO', `other users can replace ${path}, because they may write to ${above}`, {
    hint: `run chmod go-w ${above}, or set XDG_CACHE_HOME to a directory of your own`,
  });
}

/** Makes a directory that only this user may enter, or takes away the permissions of others if it is this user's. Fails with IO. */
export async function closeFolder(path: string): Promise<Result<void>> {
  const made = await ensureFolder(path, PRIVATE);
  if (!made.ok) return made;
  return attempt('open', path, async () => {
    const opened = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const {uid, mode} = await opened.stat();
      if (uid === ownUser() && (mode & ~PRIVATE & 0o777) !== 0) await opened.chmod(PRIVATE);
    } finally {
      await opened.close();
    }
  });
}

const HINT = 'remove it, or set XDG_CACHE_HOME to a directory of your own';
const ELSEWHERE = 'set XDG_CACHE_HOME to a directory of your own';
