import {closeSync, constants, fstatSync, openSync, readFileSync, type Stats} from 'node:fs';
import {open, type FileHandle} from 'node:fs/promises';

/*
 * Opening a FIFO waits for its other end, and opening a device can do anything. State and cache entries are regular files, and are
 * opened in a way that never waits; what turns out to be something else is an error.
 */

const WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** What is at a path is not a regular file. */
export class NotRegularError extends Error {
  readonly code: 'EISDIR' | 'ENOTREGULAR';

  constructor(path: string, stats: Stats) {
    super(`${path} is ${stats.isDirectory() ? 'a directory' : 'not a regular file'}`);
    this.code = stats.isDirectory() ? 'EISDIR' : 'ENOTREGULAR';
  }
}

/** An open regular file. */
export interface RegularFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/** Opens a regular file for reading. Rejects with `NotRegularError` for anything else, and for a link unless `links` is `follow`. */
async function openRegular(path: string, links: 'follow' | 'refuse' = 'follow'): Promise<RegularFile> {
  const handle = await open(path, flagsFor(links));
  const stats = await handle.stat();
  if (stats.isFile()) return {handle, stats};
  await handle.close();
  throw new NotRegularError(path, stats);
}

/** Opens a regular file, and closes it when `use` is done with it. */
export async function withRegular<T>(
  path: string,
  links: 'follow' | 'refuse',
  use: (file: RegularFile) => Promise<T>,
): Promise<T> {
  const file = await openRegular(path, links);
  try {
    return await use(file);
  } finally {
    await file.handle.close();
  }
}

/** Bytes. Reading so many at once takes less time than the four turns of the event loop in which another thread would do it. */
const SMALL = 1 << 20;

/** A regular file with its whole content. */
export interface SmallFile {
  readonly bytes: Buffer;
  readonly stats: Stats;
}

/** Reads a regular file at once if it is small; undefined for a large one. Throws as `withRegular` rejects. */
export function readSmall(path: string, links: 'follow' | 'refuse'): SmallFile | undefined {
  return withRegularSync(
    path,
    (file, stats) => (stats.size <= SMALL ? {bytes: readFileSync(file), stats} : undefined),
    links,
  );
}

/** The content of a regular file. */
export async function readRegular(path: string): Promise<Buffer> {
  return readSmall(path, 'follow')?.bytes ?? withRegular(path, 'follow', ({handle}) => handle.readFile());
}

/** The text of a regular file. */
export async function readRegularText(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): Promise<string> {
  return (await readRegular(path)).toString(encoding);
}

/** More than any state takes. A file with holes in it may be of any length, and takes no room. */
const MOST_STATE = 128 * 2 ** 20;

/** The text of a file that an earlier run wrote: it has a limit. Rejects for a longer file. */
export async function readState(path: string): Promise<string> {
  return withRegular(path, 'follow', ({handle, stats}) => {
    if (stats.size > MOST_STATE) throw new Error(`${path} has ${stats.size} bytes`);
    return handle.readFile('utf8');
  });
}

/** Everything from where an open file stands. */
export function readWhole(file: number): Buffer {
  return readFileSync(file);
}

/** `readRegular` at once. */
export function readRegularSync(path: string): Buffer {
  return withRegularSync(path, (file) => readFileSync(file));
}

/** Opens a regular file at once, and closes it when `use` is done with its descriptor. */
export function withRegularSync<T>(
  path: string,
  use: (file: number, stats: Stats) => T,
  links: 'follow' | 'refuse' = 'follow',
): T {
  const file = openSync(path, flagsFor(links));
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new NotRegularError(path, stats);
    return use(file, stats);
  } finally {
    closeSync(file);
  }
}

function flagsFor(links: 'follow' | 'refuse'): number {
  return links === 'follow' ? WITHOUT_WAITING : WITHOUT_WAITING | constants.O_NOFOLLOW;
}
