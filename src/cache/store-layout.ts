import {lstat, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import pLimit from 'p-limit';
import {isForeign} from '../fs/owners.js';
import {type Directory, type MayRemove, openDirectory, unlessForeign} from '../fs/removal.js';
import {isDigest, type Digest} from '../model/digest.js';
import type {Seal} from './seal.js';

/**
 * The paths of the store: the layout of Bazel's disk cache. `cas` holds contents by their sha256, `ac` the
 * results of actions by the sha256 of their key record, `tmp` what is being written.
 */
export interface Layout {
  readonly root: string;
  /** The permissions that directories get, if the store is shared; else the umask decides. */
  readonly sharedMode: number | undefined;
  /** Whether results and files of other users are used, and removed like one's own. */
  readonly trustOthers: boolean;
  /** What marks this user's results in a shared store. */
  readonly seal: Seal | undefined;
  readonly temporary: string;
  readonly blob: (digest: Digest) => string;
  readonly entry: (key: Digest) => string;
}

export const CONTENTS = 'cas';
export const RESULTS = 'ac';
export const TEMPORARIES = 'tmp';

/** `rootMode` are the permissions of the root: others may write to it, so they may write to all that is in it. */
export function layoutOf(root: string, rootMode = 0, trustOthers = false, seal?: Seal): Layout {
  return {
    root,
    trustOthers,
    seal,
    sharedMode: isShared(rootMode) ? rootMode & PERMISSIONS : undefined,
    temporary: join(root, TEMPORARIES),
    blob: (digest) => join(root, CONTENTS, digest.slice(0, 2), digest),
    entry: (key) => join(root, RESULTS, key.slice(0, 2), key),
  };
}

/** Whether others may write to a store whose root has these permissions. */
export function isShared(rootMode: number): boolean {
  return (rootMode & OTHERS_WRITE) !== 0;
}

const OTHERS_WRITE = 0o022;
const PERMISSIONS = 0o7777;

/** Whether this user may use or remove something of the store. */
export function isTrusted(
  {trustOthers}: Pick<Layout, 'trustOthers'>,
  stats: {readonly uid: number},
): boolean {
  return trustOthers || !isForeign(stats);
}

/** What this user may remove from the store. */
export function removable({trustOthers}: Pick<Layout, 'trustOthers'>): MayRemove {
  return trustOthers ? () => true : unlessForeign;
}

export type Part = typeof CONTENTS | typeof RESULTS;

/** Whether a directory of this name holds files of the store. */
export function isShard(name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name);
}

/** A file of the store. */
export interface StoredFile {
  readonly part: Part;
  readonly digest: Digest;
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** When it was last used, in milliseconds since the epoch. */
  readonly usedMs: number;
  /** Its owner. */
  readonly uid: number;
}

/** The number of files of the store to read concurrently. */
export const BREADTH = 32;

/** Every file under `cas` or `ac`. Files that disappear meanwhile, whose name is not a digest, or that lie behind a link, are left out. */
export async function listFiles(root: string, part: Part): Promise<StoredFile[]> {
  const limit = pLimit(BREADTH);
  const shards = await inDirectory(root, [part], async ({at}) =>
    limit.map((await listNames(at)).filter(isShard), (shard) => listShard(root, part, shard)),
  );
  return (shards ?? []).flat();
}

function listShard(root: string, part: Part, shard: string): Promise<StoredFile[]> {
  const list = async ({at}: Directory): Promise<StoredFile[]> => {
    const files: StoredFile[] = [];
    for (const digest of (await listNames(at)).filter(isDigest)) {
      const found = await lstat(join(at, digest)).catch(() => undefined);
      if (found?.isFile() !== true) continue;
      const {size, mtimeMs, uid} = found;
      files.push({part, digest, path: join(root, part, shard, digest), size, usedMs: mtimeMs, uid});
    }
    return files;
  };
  return inDirectory(root, [part, shard], list).then((files) => files ?? []);
}

/** Opens a directory of the store, following no link on the way from its root. Undefined if that is not possible. */
export async function inDirectory<T>(
  root: string,
  names: readonly string[],
  use: (directory: Directory) => Promise<T>,
): Promise<T | undefined> {
  const opened = await openDirectory(root);
  if (opened === undefined) return undefined;
  try {
    const [name, ...rest] = names;
    return await (name === undefined ? use(opened) : inDirectory(join(opened.at, name), rest, use));
  } finally {
    await opened.close();
  }
}

/** The names in a directory; none when it cannot be read. */
export async function listNames(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
