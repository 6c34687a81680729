import {constants, lstatSync, readdirSync, rmdirSync, type Stats, unlinkSync} from 'node:fs';
import {lstat, open, readdir, rmdir, unlink} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {errnoOf} from '../model/errno.js';
import {isForeign} from './owners.js';

/*
 * The one place that deletes. It never follows a link: directories are opened one by one without following links, and their entries
 * are named through the open directory, so replacing a directory by a link meanwhile changes nothing.
 */

/** An open directory. */
export interface Directory {
  /** The path under which its entries are found; it stays the same directory whatever happens to its name. */
  readonly at: string;
  readonly stats: Stats;
  readonly close: () => Promise<void>;
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens a directory, unless it is a link. Undefined if that is not possible. */
export async function openDirectory(path: string | Buffer): Promise<Directory | undefined> {
  const handle = await open(path, DIRECTORY).catch(() => undefined);
  if (handle === undefined) return undefined;
  const held = `/proc/self/fd/${handle.fd}`;
  // Without /proc, as in some containers, the name has to do.
  const at = (await lstat(held).catch(() => undefined)) === undefined ? String(path) : held;
  return {at, stats: await handle.stat(), close: () => handle.close()};
}

/** Which of what is found may be removed. A tree that is not removed as a whole keeps its directories. */
export type MayRemove = (stats: Stats) => boolean;

/** What belongs to this user or to root. */
export const unlessForeign: MayRemove = (stats) => !isForeign(stats);

/** Removes a file or a link, not what it leads to. Whether it is gone now. */
export async function removeFile(path: string | Buffer): Promise<boolean> {
  return unlink(path).then(
    () => true,
    (error: unknown) => ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? ''),
  );
}

/** The same at once. */
export function removeFileSync(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');
  }
}

/** Removes a directory if it is empty. Whether it is gone now. */
export async function removeEmptyDirectory(path: string | Buffer): Promise<boolean> {
  return rmdir(path).then(
    () => true,
    (error: unknown) => errnoOf(error) === 'ENOENT',
  );
}

/** Removes a directory of this process's own with the files in it, and none with directories in it. Whether it is gone now. */
export function removeFlatDirectorySync(path: string): boolean {
  try {
    if (!lstatSync(path).isDirectory()) return false;
    for (const name of readdirSync(path, {encoding: 'buffer'})) unlinkSync(entryOf(path, name));
    rmdirSync(path);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}

/** Removes a file or a link. Rejects with the error of the file system if it is still there. */
export async function clearFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}

/** Removes a file, a link, or a directory with all that it holds. Rejects with the error of the file system if something is left. */
export async function clearPath(path: string): Promise<void> {
  if (await removeTree(path)) return;
  await rmdir(path).catch(async (error: unknown) => {
    if (errnoOf(error) !== 'ENOTDIR') throw error;
    await unlink(path);
  });
}

/** Removes a file, a link, or a directory with all that it holds. Whether it is gone now. */
export async function removeTree(path: string, may: MayRemove = () => true): Promise<boolean> {
  return removeEntry(dirname(path), basename(path), may);
}

/** The same for an entry of an open directory. Its name is text, or bytes, which need not be UTF-8. */
export async function removeEntry(
  directory: string,
  name: string | Buffer,
  may: MayRemove,
): Promise<boolean> {
  const path = entryOf(directory, name);
  const stats = await lstat(path).catch((error: unknown) => (errnoOf(error) === 'ENOENT' ? null : undefined));
  if (stats === null) return true;
  if (stats === undefined || !may(stats)) return false;
  if (!stats.isDirectory()) return removeFile(path);
  const opened = await openDirectory(path);
  if (opened === undefined) return false;
  try {
    if (!may(opened.stats)) return false;
    for (const each of await readdir(opened.at, {encoding: 'buffer'}))
      await removeEntry(opened.at, each, may);
  } catch {
    // What is left keeps the directory.
  } finally {
    await opened.close();
  }
  return removeEmptyDirectory(path);
}

function entryOf(directory: string, name: string | Buffer): string | Buffer {
  return typeof name === 'string'
    ? join(directory, name)
    : Buffer.concat([Buffer.from(`${directory}/`), name]);
}
