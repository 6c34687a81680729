import {lstat, lutimes} from 'node:fs/promises';
import {join} from 'node:path';
import pLimit from 'p-limit';
import {isTemporary} from '../fs/files.js';
import {removeFile} from '../fs/removal.js';
import {
  BREADTH,
  CONTENTS,
  inDirectory,
  isTrusted,
  listFiles,
  listNames,
  RESULTS,
  TEMPORARIES,
  type Layout,
  type Part,
  type StoredFile,
} from './store-layout.js';
import {readRecord} from './record-file.js';

export interface CollectLimits {
  /** How much the store may hold, in bytes. */
  readonly maxBytes: number;
  /** Results that were not used for so many days are removed. */
  readonly maxAgeDays: number;
  /** The time that ages are reckoned from, in milliseconds since the epoch; the present when left out. */
  readonly nowMs?: number;
}

/** The result of a collection. */
export interface Collected {
  readonly removedEntries: number;
  readonly removedBlobs: number;
  readonly removedBytes: number;
  readonly keptEntries: number;
  readonly keptBytes: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** An upper bound for the time to write a file and the entry that refers to it. */
const UNFINISHED_MS = HOUR_MS;

/** The clocks of machines that share a file system differ by less than this. */
const CLOCK_SLACK_MS = HOUR_MS;
/** The resolution lost when a file system stores a time. */
const ROUNDING_MS = 1;

interface Entry extends StoredFile {
  readonly refersTo: readonly string[];
}

/**
 * Removes results that are too old, then the least recently used ones until the rest fits; also the files
 * that no kept result refers to, and leftovers of interrupted writers. A file of a kept result is never removed. Nothing of another
 * user is removed, unless the store trusts them, and nothing that does not have a name of the store's own.
 */
export async function collectGarbage(layout: Layout, limits: CollectLimits): Promise<Collected> {
  const nowMs = limits.nowMs ?? Date.now();
  // Blobs first: one that is written after this listing is not in it, so it cannot be removed.
  const blobs = new Map<string, StoredFile>();
  for (const blob of await listUsed(layout, CONTENTS, nowMs)) blobs.set(blob.digest, blob);
  const entries = await readEntries(layout, nowMs);
  entries.sort((a, b) => b.usedMs - a.usedMs || (a.digest < b.digest ? -1 : 1));

  const kept = new Set<string>();
  let keptBytes = 0;
  let full = false;
  const dropped: Entry[] = [];
  let keptEntries = 0;
  for (const entry of entries) {
    const added = [...new Set(entry.refersTo)].filter((digest) => !kept.has(digest));
    const bytes = entry.size + added.reduce((sum, digest) => sum + (blobs.get(digest)?.size ?? 0), 0);
    // Once an entry does not fit, no older one is kept, so that the most recently used ones remain.
    full ||= keptBytes + bytes > limits.maxBytes;
    if (full || nowMs - entry.usedMs > limits.maxAgeDays * DAY_MS) {
      dropped.push(entry);
      continue;
    }
    keptEntries += 1;
    keptBytes += bytes;
    for (const digest of added) kept.add(digest);
  }

  const released = new Set(dropped.flatMap((entry) => entry.refersTo));
  const garbage = [...blobs.values()].filter(
    ({digest, usedMs}) => !kept.has(digest) && (released.has(digest) || nowMs - usedMs > UNFINISHED_MS),
  );
  // Entries first: an entry without its files would be a confusing miss.
  const removedEntries = await removeUnused(layout, dropped);
  const removedBlobs = await removeUnused(layout, garbage);
  await removeLeftovers(layout, nowMs);
  return {
    removedEntries: removedEntries.length,
    removedBlobs: removedBlobs.length,
    removedBytes: [...removedEntries, ...removedBlobs].reduce((sum, {size}) => sum + size, 0),
    keptEntries,
    keptBytes,
  };
}

/** Removes files, except those used since they were listed. Returns those that are gone. */
async function removeUnused<T extends StoredFile>(layout: Layout, files: readonly T[]): Promise<T[]> {
  const removed = await pLimit(BREADTH).map(files, async (file) => {
    if (!isTrusted(layout, file)) return [];
    const shard = file.digest.slice(0, 2);
    const isGone = await inDirectory(layout.root, [file.part, shard], async ({at}) => {
      const path = join(at, file.digest);
      const now = await lstat(path).catch(() => undefined);
      const used = now === undefined || now.mtimeMs > file.usedMs + ROUNDING_MS;
      return !used && isTrusted(layout, now) && removeFile(path);
    });
    return isGone === true ? [file] : [];
  });
  return removed.flat();
}

/** Every entry with what it refers to. A damaged one refers to nothing; `verify` or its next reader removes it. */
async function readEntries(layout: Layout, nowMs: number): Promise<Entry[]> {
  const files = await listUsed(layout, RESULTS, nowMs);
  return files.map((file) => {
    const {record} = readRecord(file.path, file.digest);
    const outputs = record === undefined || record === 'older' ? [] : record.outputs;
    return {...file, refersTo: outputs.map(({digest}) => digest)};
  });
}

/** Files with the time of their last use. One in the future (the clock was set back) counts as now, and ages from now on. */
async function listUsed(layout: Layout, part: Part, nowMs: number): Promise<StoredFile[]> {
  const files = await listFiles(layout.root, part);
  return pLimit(BREADTH).map(files, async (file) => {
    if (file.usedMs <= nowMs + CLOCK_SLACK_MS) return file;
    const now = new Date(nowMs);
    await lutimes(file.path, now, now).catch(() => undefined);
    return {...file, usedMs: nowMs};
  });
}

/** Removes temporary files that are too old to be in use. */
async function removeLeftovers(layout: Layout, nowMs: number): Promise<void> {
  await inDirectory(layout.root, [TEMPORARIES], async ({at}) => {
    for (const name of (await listNames(at)).filter(isTemporary)) {
      const found = await lstat(join(at, name)).catch(() => undefined);
      if (found === undefined || !isTrusted(layout, found)) continue;
      if (nowMs - found.mtimeMs > UNFINISHED_MS) await removeFile(join(at, name));
    }
  });
}
