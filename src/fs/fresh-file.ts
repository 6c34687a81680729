import {constants, lstatSync, renameSync, writeFileSync} from 'node:fs';
import {chmod, mkdir, open, rename} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {errnoOf} from '../model/errno.js';
import {err, ok, type Result} from '../model/result.js';
import {attempt, ioFailure, temporaryIn} from './files.js';
import {NotRegularError} from './regular-file.js';
import {removeFile, removeFileSync, removeTree} from './removal.js';

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
  /** The permissions of the new file; by default those that the program gave it. */
  readonly mode?: number | undefined;
  /** Checks it at a temporary path in its final directory. */
  readonly check?: (path: string) => Promise<Result<void>>;
}

/** Replaces the file at `path` once the new one is complete and checked. Fails with IO, and as `write` and `check` do. */
export async function replaceByProgram(
  path: string,
  {write, mode, check}: Replacement,
): Promise<Result<void>> {
  const folder = dirname(path);
  const fresh = temporaryIn(folder);
  try {
    const written = await withPrivateFolder(folder, async (own) => {
      const made = join(own, basename(path));
      const done = await write(made);
      if (!done.ok) return done;
      return attempt('write', path, async () => {
        // While nobody else can reach it.
        if (mode !== undefined) await chmod(made, mode);
        await rename(made, fresh);
      });
    });
    if (!written.ok) return written;
    const checked = (await check?.(fresh)) ?? ok();
    return checked.ok ? await attempt('write', path, () => rename(fresh, path)) : checked;
  } finally {
    await removeTree(fresh);
  }
}

/**
 * Writes a file in one go, so that there is the old one or the whole new one. Replaces no device, FIFO or directory. Fails with IO.
 * @param what what it is, for the message
 */
export function writeFileAtomicSync(path: string, content: string, what: string): Result<void> {
  const temporary = temporaryIn(dirname(path));
  try {
    const there = lstatSync(path, {throwIfNoEntry: false});
    if (there !== undefined && !there.isFile() && !there.isSymbolicLink())
      throw new NotRegularError(path, there);
    writeFileSync(temporary, content, {flag: 'wx'});
    renameSync(temporary, path);
    return ok();
  } catch (error) {
    removeFileSync(temporary);
    return err(ioFailure(`write ${what}`, path, error));
  }
}

const EMPTY = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** Makes a file empty, or makes an empty one, in place of a link or a FIFO, too. Fails with IO. */
export async function emptyFile(path: string): Promise<Result<void>> {
  const make = async (): Promise<boolean> => {
    const file = await open(path, EMPTY | constants.O_NONBLOCK).catch((error: unknown) => {
      if (['ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '')) return undefined;
      throw error;
    });
    const isRegular = (await file?.stat())?.isFile() === true;
    await file?.close();
    return isRegular;
  };
  const made = await attempt(
    'write',
    path,
    async () => (await make()) || ((await removeFile(path)) && (await make())),
  );
  if (!made.ok) return made;
  return made.value ? ok() : err(ioFailure('write', path, {code: 'ENOTREGULAR'}));
}
