import {chmod, lstat, readdir, readlink} from 'node:fs/promises';
import {join} from 'node:path';
import {readRegular} from '../../fs/regular-file.js';
import type {TarEntry} from './tar.js';

/** The content of a path that is not a directory. */
export interface TreeFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly mode: number;
  readonly isLink: boolean;
}

/** Everything below a directory except directories, sorted by the bytes of their paths, independent of the file system's order. */
export async function listTree(root: string): Promise<readonly TreeFile[]> {
  const files: TreeFile[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), {withFileTypes: true})) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else files.push({path, ...(await describe(join(root, path)))});
    }
  };
  await walk('');
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

/** Modes are normalised: executable or not, writable by the owner, and readable by all, independent of the umask. */
async function describe(path: string): Promise<{readonly mode: number; readonly isLink: boolean}> {
  const status = await lstat(path);
  const isLink = status.isSymbolicLink();
  return {isLink, mode: isLink ? 0o777 : (status.mode & 0o100) === 0 ? 0o644 : 0o755};
}

export async function readEntry(root: string, {path, mode, isLink}: TreeFile): Promise<TarEntry> {
  const place = join(root, path);
  return {path, mode, content: isLink ? {link: await readlink(place)} : await readRegular(place)};
}

/** Writes a file, even if it is read-only. */
export async function makeWritable(path: string): Promise<void> {
  const {mode} = await lstat(path);
  await chmod(path, mode | 0o200);
}
