import {createHash, randomBytes} from 'node:crypto';
import {closeSync, constants, fchmodSync, fsync, openSync, renameSync, writeFileSync} from 'node:fs';
import {mkdir, open, rename, stat, type FileHandle} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {promisify} from 'node:util';
import type {Digest} from '../model/digest.js';
import {errnoOf, messageOf} from '../model/errno.js';
import {failure, type Failure} from '../model/failure.js';
import {err, ok, type Result} from '../model/result.js';
import {readSmall, type RegularFile, withRegular} from './regular-file.js';
import {removeFile, removeTree} from './removal.js';

const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'there is a directory in its place',
  ELOOP: 'it is a symbolic link, or leads through too many of them',
  EMFILE: 'too many open files',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no room left on the disk',
  ENOTREGULAR: 'it is not a regular file',
  ENOTDIR: 'a part of the path is not a directory',
  ENXIO: 'it is not a regular file',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};

/** What helps when no room is left. */
export const FULL_DISK_HINT = 'make room there, or choose another place';

/** An error of the file system as a failure: the operation (`"write"`), the path, and the reason. */
export function ioFailure(doing: string, path: string, error: unknown): Failure {
  const errno = errnoOf(error) ?? '';
  const why = SENTENCES[errno] ?? messageOf(error);
  const isFull = errno === 'ENOSPC' || errno === 'EDQUOT';
  return failure('IO', `cannot ${doing} ${path}: ${why}`, isFull ? {hint: FULL_DISK_HINT} : {});
}

/** Runs a file operation; an error becomes an IO failure that names `path`. */
export async function attempt<T>(doing: string, path: string, act: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await act());
  } catch (error) {
    return err(ioFailure(doing, path, error));
  }
}

/** A part of a name that nobody else uses and nobody can guess. */
export function uniqueSuffix(): string {
  return `${process.pid}-${randomBytes(12).toString('hex')}`;
}

/** The prefix of temporary names. */
export const TEMPORARY = '.new-';

/** A temporary path in a directory, which has to be created exclusively. */
export function temporaryIn(folder: string): string {
  return join(folder, TEMPORARY + uniqueSuffix());
}

/** Whether this is a temporary name. */
export function isTemporary(path: string): boolean {
  return basename(path).startsWith(TEMPORARY);
}

/** Creates a directory and those above it, if they are missing. Those that it creates get `mode`, cut by the umask. Fails with IO. */
export async function ensureFolder(path: string, mode = 0o777): Promise<Result<void>> {
  return attempt('create', path, () => makeFolders(path, mode));
}

/** Not mkdir's own `recursive`: where a directory seems to exist and cannot hold others (in /proc), it never ends (Node 20). */
async function makeFolders(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (errno !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolders(dirname(path), mode);
    await mkdir(path, mode).catch((again: unknown) => {
      if (errnoOf(again) !== 'EEXIST') throw again;
    });
  }
}

/** Removes a file, a link, or a directory with all that it holds; a failure is not an error. Returns whether it is gone. */
export async function removeQuietly(path: string): Promise<boolean> {
  return removeTree(path);
}

export interface FileContent {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

const CHUNK_BYTES = 1 << 20;

/** The sha256 and size of a regular file. Fails with IO. */
export async function hashFile(
  path: string,
  links: 'follow' | 'refuse' = 'follow',
): Promise<Result<FileContent>> {
  return attempt('read', path, async () => {
    const small = readSmall(path, links);
    return small === undefined
      ? withRegular(path, links, (file) => readThrough(file))
      : contentOf(small.bytes);
  });
}

function contentOf(bytes: Uint8Array): FileContent {
  return {digest: createHash('sha256').update(bytes).digest('hex') as Digest, size: bytes.length};
}

/** Reads a file from its beginning to its end, and copies it to `to` if that is given. Returns what was read. */
async function readThrough({handle, stats}: RegularFile, to?: FileHandle): Promise<FileContent> {
  const hash = createHash('sha256');
  const expected = stats.size;
  // One byte more than expected, so that the end of most files is seen with the first read.
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(expected + 1, 4096)));
  let size = 0;
  for (;;) {
    const {bytesRead} = await handle.read(buffer, 0, buffer.length, null);
    const part = buffer.subarray(0, bytesRead);
    hash.update(part);
    // Not with several writes at once, and not by the buffer itself, which is filled again.
    if (to !== undefined && bytesRead > 0) await to.writeFile(part);
    size += bytesRead;
    if (bytesRead === 0 || (bytesRead < buffer.length && size === expected)) break;
  }
  return {digest: hash.digest('hex') as Digest, size};
}

/**
 * Writes a file so that readers see the old content or the new, whatever happens: a temporary file beside it (or in
 * `temporaryFolder`, which must be in the same file system), synchronised, then renamed. Creates the directory. `mode` is
 * what the file gets whatever the umask says; the umask decides when it is left out. Fails with IO.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  temporaryFolder = dirname(path),
  mode?: number,
): Promise<Result<void>> {
  const written = await replaceAtomic(path, temporaryFolder, async (temporary) => {
    await writeWhole(temporary, 'wx', content, mode, true);
    return ok(true);
  });
  return written.ok ? ok() : written;
}

/** Copies a regular file so that there is the old one or the whole new one, whatever happens. Creates the directory. Fails with IO. */
export async function replaceFile(from: string, to: string): Promise<Result<void>> {
  const copied = await replaceAtomic(to, dirname(to), async (temporary) => {
    await withRegular(from, 'follow', async (file) => {
      const copy = await open(temporary, 'wx', 0o600);
      try {
        await readThrough(file, copy);
        await copy.chmod(file.stats.mode & PERMISSIONS);
        await copy.sync();
      } finally {
        await copy.close();
      }
    });
    return ok(true);
  });
  return copied.ok ? ok() : copied;
}

const PERMISSIONS = 0o777;

/** Moves a file, to another file system, too: there is the old one or the whole new one. Fails with IO. */
export async function moveFile(from: string, to: string): Promise<Result<void>> {
  const moved = await attempt('write', to, async () => {
    try {
      await rename(from, to);
      return ok();
    } catch (error) {
      if (errnoOf(error) !== 'EXDEV') throw error;
    }
    const copied = await replaceFile(from, to);
    if (copied.ok) await removeFile(from);
    return copied;
  });
  return moved.ok ? moved.value : moved;
}

/**
 * Copies a file in the same way, when its content is the expected one; `false`, and nothing written, when it is not. The copy is
 * read-only.
 */
export async function copyFileAtomic(
  from: string,
  to: string,
  expected: FileContent,
  temporaryFolder: string,
): Promise<Result<boolean>> {
  return replaceAtomic(to, temporaryFolder, async (temporary) => {
    const is = await copyExpected(from, temporary, expected, 'follow', {
      flags: 'wx',
      mode: 0o444,
      durable: true,
    });
    return ok(is);
  });
}

export interface CopyTarget {
  readonly flags: string | number;
  readonly mode: number;
  /** Whether the copy is flushed to disk. */
  readonly durable: boolean;
}

/** Copies a regular file; whether its content is the expected one. Otherwise the copy is incomplete. Rejects as opening and writing do. */
export async function copyExpected(
  from: string,
  to: string,
  expected: FileContent,
  links: 'follow' | 'refuse',
  {flags, mode, durable}: CopyTarget,
): Promise<boolean> {
  const small = readSmall(from, links);
  if (small !== undefined) {
    const {digest, size} = contentOf(small.bytes);
    if (digest !== expected.digest || size !== expected.size) return false;
    await writeWhole(to, flags, small.bytes, mode, durable);
    return true;
  }
  return withRegular(from, links, async (file) => {
    if (file.stats.size !== expected.size) return false;
    // By the open file: its name could be given to another one meanwhile.
    const copy = await open(to, flags, 0o600);
    try {
      const {digest, size} = await readThrough(file, copy);
      if (digest !== expected.digest || size !== expected.size) return false;
      await copy.chmod(mode);
      if (durable) await copy.sync();
      return true;
    } finally {
      await copy.close();
    }
  });
}

/** Appends to an existing file, and through no link. The content may be truncated if the process is killed. Fails with IO. */
export function appendDurably(path: string, content: string): Promise<Result<void>> {
  return attempt('write', path, async () => {
    const file = await open(path, APPENDING);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

const APPENDING = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Opens a file, writes it at once, and flushes it to disk if it has to be durable. `mode` is set whatever the umask says. */
async function writeWhole(
  path: string,
  flags: string | number,
  content: string | Uint8Array,
  mode: number | undefined,
  durable: boolean,
): Promise<void> {
  const file = openSync(path, flags, mode ?? 0o644);
  try {
    writeFileSync(file, content);
    if (mode !== undefined) fchmodSync(file, mode);
    if (durable) await flush(file);
  } finally {
    closeSync(file);
  }
}

const flush = promisify(fsync);

/** Lets `write` fill a temporary file and moves it to `path`, unless `write` fails or says `false`. */
async function replaceAtomic(
  path: string,
  temporaryFolder: string,
  write: (temporary: string) => Promise<Result<boolean>>,
): Promise<Result<boolean>> {
  const replace = async (temporary: string): Promise<Result<boolean>> => {
    try {
      const done = await write(temporary);
      if (done.ok && done.value) renameSync(temporary, path);
      else await removeFile(temporary);
      return done;
    } catch (error) {
      await removeFile(temporary);
      throw error;
    }
  };
  const done = await attempt('write', path, async () => {
    try {
      return await replace(temporaryIn(temporaryFolder));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    // The directory is missing, which is rare and therefore not checked first.
    const folder = await ensureFolder(dirname(path));
    return folder.ok ? replace(temporaryIn(temporaryFolder)) : folder;
  });
  return done.ok ? done.value : done;
}
