import {createHash, randomBytes} from 'node:crypto';
import {constants} from 'node:fs';
import {chmod, copyFile, mkdir, open, readFile, rename, rm, stat, type FileHandle} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {digestOf, type Digest} from '../model/digest.js';
import {errnoOf, messageOf} from '../model/errno.js';
import {failure, type Failure} from '../model/failure.js';
import {err, ok, type Result} from '../model/result.js';

const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'there is a folder in its place',
  EMFILE: 'too many open files',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no room left on the disk',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};

/** An error of the file system as a failure: the operation (`"write"`), the path, and the reason. */
export function ioFailure(doing: string, path: string, error: unknown): Failure {
  const why = SENTENCES[errnoOf(error) ?? ''] ?? messageOf(error);
  return failure('IO', `cannot ${doing} ${path}: ${why}`);
}

/** Runs a file operation; an error becomes an IO failure that names `path`. */
export async function attempt<T>(doing: string, path: string, act: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await act());
  } catch (error) {
    return err(ioFailure(doing, path, error));
  }
}

/** A unique name for a temporary file in the directory of the final one. */
export function uniqueSuffix(): string {
  return `${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** The prefix of temporary names. */
export const TEMPORARY = '.new-';

/** Whether this is a temporary name. */
export function isTemporary(path: string): boolean {
  return basename(path).startsWith(TEMPORARY);
}

/** Creates a directory and those above it, if they are missing. Fails with IO. */
export async function ensureFolder(path: string): Promise<Result<void>> {
  return attempt('create', path, () => makeFolders(path));
}

/** Not mkdir's own `recursive`: where a directory seems to exist and cannot hold others (in /proc), it never ends (Node 20). */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (errno !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolders(dirname(path));
    await mkdir(path).catch((again: unknown) => {
      if (errnoOf(again) !== 'EEXIST') throw again;
    });
  }
}

/** Removes a file or directory with all that it holds; a failure is not an error. Returns whether it is gone. */
export async function removeQuietly(path: string): Promise<boolean> {
  return rm(path, {recursive: true, force: true}).then(
    () => true,
    () => false,
  );
}

export interface FileContent {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

const CHUNK_BYTES = 1 << 20;

/** The sha256 and size of a file. Fails with IO. */
export async function hashFile(path: string): Promise<Result<FileContent>> {
  return attempt('read', path, async () => {
    const file = await open(path, 'r');
    try {
      return await hashOpened(file);
    } finally {
      await file.close();
    }
  });
}

async function hashOpened(file: FileHandle): Promise<FileContent> {
  const hash = createHash('sha256');
  const expected = (await file.stat()).size;
  // One byte more than expected, so that the end of most files is seen with the first read.
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(expected + 1, 4096)));
  let size = 0;
  for (;;) {
    const {bytesRead} = await file.read(buffer, 0, buffer.length, null);
    hash.update(buffer.subarray(0, bytesRead));
    size += bytesRead;
    if (bytesRead === 0 || (bytesRead < buffer.length && size === expected)) break;
  }
  return {digest: hash.digest('hex') as Digest, size};
}

/** Flushes the content of a file to disk. */
async function synchronise(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
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
    await writeNew(temporary, content, mode);
    return ok(true);
  });
  return written.ok ? ok() : written;
}

/** Copies a file so that there is the old one or the whole new one, whatever happens. Creates the directory. Fails with IO. */
export async function replaceFile(from: string, to: string): Promise<Result<void>> {
  const copied = await replaceAtomic(to, dirname(to), async (temporary) => {
    await copyFile(from, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    await synchronise(temporary);
    return ok(true);
  });
  return copied.ok ? ok() : copied;
}

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
    if (copied.ok) await rm(from);
    return copied;
  });
  return moved.ok ? moved.value : moved;
}

/**
 * Copies a file in the same way, when its content is the expected one; `false`, and nothing written, when it is not.
 * The copy is read-only and shares no data with its source, or only as the file system does it unnoticed (copy on write).
 */
export async function copyFileAtomic(
  from: string,
  to: string,
  expected: FileContent,
  temporaryFolder: string,
): Promise<Result<boolean>> {
  return replaceAtomic(to, temporaryFolder, async (temporary) => {
    if (expected.size <= CHUNK_BYTES) return copySmallFile(from, temporary, expected);
    await copyFile(from, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    const content = await hashFile(temporary);
    if (!content.ok) return content;
    if (content.value.digest !== expected.digest || content.value.size !== expected.size) return ok(false);
    await chmod(temporary, 0o444);
    await synchronise(temporary);
    return ok(true);
  });
}

/** The same with fewer system calls, which dominate for many small files. */
async function copySmallFile(
  from: string,
  temporary: string,
  expected: FileContent,
): Promise<Result<boolean>> {
  const content = await readFile(from);
  if (content.length !== expected.size || digestOf(content) !== expected.digest) return ok(false);
  await writeNew(temporary, content, 0o444);
  return ok(true);
}

/** Appends to an existing file. The content may be truncated if the process is killed. Fails with IO. */
export function appendDurably(path: string, content: string): Promise<Result<void>> {
  return attempt('write', path, async () => {
    const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** Writes a new file and flushes it to disk. */
async function writeNew(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
  const file = await open(path, 'wx', mode ?? 0o644);
  try {
    await file.writeFile(content);
    if (mode !== undefined) await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Lets `write` fill a temporary file and moves it to `path`, unless `write` fails or says `false`. */
async function replaceAtomic(
  path: string,
  temporaryFolder: string,
  write: (temporary: string) => Promise<Result<boolean>>,
): Promise<Result<boolean>> {
  const replace = async (temporary: string): Promise<Result<boolean>> => {
    try {
      const done = await write(temporary);
      if (done.ok && done.value) await rename(temporary, path);
      else await removeQuietly(temporary);
      return done;
    } catch (error) {
      await removeQuietly(temporary);
      throw error;
    }
  };
  const temporary = (): string => join(temporaryFolder, TEMPORARY + uniqueSuffix());
  const done = await attempt('write', path, async () => {
    try {
      return await replace(temporary());
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    // The directory is missing, which is rare and therefore not checked first.
    const folder = await ensureFolder(dirname(path));
    return folder.ok ? replace(temporary()) : folder;
  });
  return done.ok ? done.value : done;
}
