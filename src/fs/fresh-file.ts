import {mkdir, rename} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {ok, type Result} from '../model/result.js';
import {attempt, temporaryIn} from './files.js';
import {removeTree} from './removal.js';

/*
 * Files that a program writes which knows nothing of temporary names. It opens its output by name, and follows a link that somebody else
 * put there, so it gets a name in a directory that nobody else may enter.
 */

const PRIVATE = 0o700;

/** Calls `use` with a new directory in `folder` that only this user may enter, and removes it afterwards. Fails with IO, and as `use` does. */
export async function withPrivateFolder<T>(
  folder: string,
  use: (path: string) => Promise<Result<T>>,
): Promise<Result<T>> {
  const path = temporaryIn(folder);
  // Not recursive: an entry of that name is an error.
  const made = await attempt('create', path, () => mkdir(path, PRIVATE));
  if (!made.ok) return made;
  try {
    return await use(path);
  } finally {
    await removeTree(path);
  }
}

/** How a file is replaced by what a program writes. */
export interface Replacement {
  /** Makes the new file, at a path with the final name in a directory of its own. */
  readonly write: (path: string) => Promise<Result<void>>;
  /** Checks it at a temporary path in its final directory. */
  readonly check?: (path: string) => Promise<Result<void>>;
}

/** Replaces the file at `path` once the new one is complete and checked. Fails with IO, and as `write` and `check` do. */
export async function replaceByProgram(path: string, {write, check}: Replacement): Promise<Result<void>> {
  const folder = dirname(path);
  const fresh = temporaryIn(folder);
  try {
    const written = await withPrivateFolder(folder, async (own) => {
      const made = join(own, basename(path));
      const done = await write(made);
      return done.ok ? attempt('write', path, () => rename(made, fresh)) : done;
    });
    if (!written.ok) return written;
    const checked = (await check?.(fresh)) ?? ok();
    return checked.ok ? await attempt('write', path, () => rename(fresh, path)) : checked;
  } finally {
    await removeTree(fresh);
  }
}
