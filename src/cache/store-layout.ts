import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import pLimit from 'p-limit';
import {isDigest, type Digest} from '../model/digest.js';

/**
 * The paths of the store: the layout of Bazel's disk cache. `cas` holds contents by their sha256, `ac` the
 * results of actions by the sha256 of their key record, `tmp` what is being written.
 */
export interface Layout {
  readonly root: string;
  /** The permissions that directories get, if the store is shared; else the umask decides. */
  readonly sharedMode: number | undefined;
  readonly temporary: string;
  readonly blob: (digest: Digest) => string;
  readonly entry: (key: Digest) => string;
}

export const CONTENTS = 'cas';
export const RESULTS = 'ac';

/** `rootMode` are the permissions of the root: others may write to it, so they may write to all that is in it. */
export function layoutOf(root: string, rootMode = 0): Layout {
  return {
    root,
    sharedMode: (rootMode & OTHERS_WRITE) === 0 ? undefined : rootMode & PERMISSIONS,
    temporary: join(root, 'tmp'),
    blob: (digest) => join(root, CONTENTS, digest.slice(0, 2), digest),
    entry: (key) => join(root, RESULTS, key.slice(0, 2), key),
  };
}

const OTHERS_WRITE = 0o022;
const PERMISSIONS = 0o7777;

/** A file of the store. */
export interface StoredFile {
  readonly digest: Digest;
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** When it was last used, in milliseconds since the epoch. */
  readonly usedMs: number;
}

/** The number of files of the store to read concurrently. */
export const BREADTH = 32;

/** Every file under `cas` or `ac`. Files that disappear meanwhile, or whose name is not a digest, are left out. */
export async function listFiles(root: string, part: typeof CONTENTS | typeof RESULTS): Promise<StoredFile[]> {
  const limit = pLimit(BREADTH);
  const shards = await limit.map(await listNames(join(root, part)), async (shard) => {
    const folder = join(root, part, shard);
    return (await listNames(folder)).filter(isDigest).map((digest) => ({digest, path: join(folder, digest)}));
  });
  const files = await limit.map(shards.flat(), async ({digest, path}) => {
    const found = await stat(path).catch(() => undefined);
    return found?.isFile() === true ? [{digest, path, size: found.size, usedMs: found.mtimeMs}] : [];
  });
  return files.flat();
}

/** The names in a directory; none when it cannot be read. */
export async function listNames(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
