import {chmod, lstat, readFile, readdir, readlink} from 'node:fs/promises';
import {join} from 'node:path';
import type {TarEntry} from './tar.js';

/** What lies at a path that is no directory. */
export interface TreeFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly mode: number;
  readonly isLink: boolean;
}

/** Everything below a directory but directories, in the order of the bytes of their paths, whatever the file system's own is. */
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

/** A file may be run or not, be written by its owner, and be read by all: the umask of whoever made it is not told. */
async function describe(path: string): Promise<{readonly mode: number; readonly isLink: boolean}> {
  const status = await lstat(path);
  const isLink = status.isSymbolicLink();
  return {isLink, mode: isLink ? 0o777 : (status.mode & 0o100) === 0 ? 0o644 : 0o755};
}

export async function readEntry(root: string, {path, mode, isLink}: TreeFile): Promise<TarEntry> {
  const place = join(root, path);
  return {path, mode, content: isLink ? {link: await readlink(place)} : await readFile(place)};
}

/** Gives a file the content that it is to have, even if nobody may write to it. */
export async function makeWritable(path: string): Promise<void> {
  const {mode} = await lstat(path);
  await chmod(path, mode | 0o200);
}
