import {lstat, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {attempt} from '../fs/files.js';
import {foreignLinkOn} from '../fs/links.js';
import {isForeign, isSudoInvoker, nameOfUser, othersMayWrite} from '../fs/owners.js';
import {errnoOf} from '../model/errno.js';
import {fail, ok, type Result} from '../model/result.js';
import {JOURNAL} from './records/journal.js';

/** What in a build directory decides what is linked and run. */
const PARTS = ['lock', JOURNAL, 'sources.json', 'proofs', 'images', 'work', 'cpython', 'source'];

/**
 * Refuses a build directory that another user made or leads to, or in which another user made something that counts: what is up to date there is
 * linked and run without a look at its content. The user who called `sudo` is not another one. Fails with OUTPUT or IO.
 */
export async function checkBuildDirOwner(buildDir: string, trustOthers: boolean): Promise<Result<void>> {
  if (trustOthers) return ok();
  const link = foreignLinkOn(buildDir);
  if (link !== undefined) {
    return fail(
      'OUTPUT',
      `the build directory ${buildDir} lies behind ${link.path}, a symbolic link of ${nameOfUser(link.uid)}`,
      {
        hint: HINT,
      },
    );
  }
  for (const path of [buildDir, ...PARTS.map((name) => join(buildDir, name))]) {
    // The path of the directory is the user's own and may be a link; what is in it is never reached through one of somebody else.
    const found = await attempt('read', path, () =>
      (path === buildDir ? stat : lstat)(path).catch((error: unknown) => {
        if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
        throw error;
      }),
    );
    if (!found.ok) return found;
    if (found.value === undefined || !isForeign(found.value) || isSudoInvoker(found.value.uid)) continue;
    const what = path === buildDir ? `the build directory ${path}` : path;
    const owner = nameOfUser(found.value.uid);
    return fail('OUTPUT', `${what} belongs to ${owner}, who can decide what is built in it`, {
      hint: HINT,
    });
  }
  return ok();
}

const HINT = 'use another build directory, or pass --trust-cache if you trust that user';

/** Whether other users may write to a build directory: then they decide what is built in it. */
export async function isSharedBuildDir(buildDir: string): Promise<boolean> {
  const found = await stat(buildDir).catch(() => undefined);
  return found !== undefined && othersMayWrite(buildDir, found);
}
