import {lstat} from 'node:fs/promises';
import {join} from 'node:path';
import pLimit from 'p-limit';
import {hashFile} from '../fs/files.js';
import {removeStored} from './clearing.js';
import {
  BREADTH,
  CONTENTS,
  inDirectory,
  isTrusted,
  type Layout,
  listFiles,
  listNames,
  RESULTS,
  TEMPORARIES,
} from './store-layout.js';
import {readRecord} from './record-file.js';

/** What a store holds. */
export interface StoreStats {
  /** Results of actions. */
  readonly entries: number;
  /** Files that results refer to. */
  readonly blobs: number;
  /** The size of both together. */
  readonly bytes: number;
  /** When the entry that was not used for longest was last used, in milliseconds since the epoch. */
  readonly oldestMs: number | undefined;
  /** The same for the entry that was used last. */
  readonly newestMs: number | undefined;
}

/** Counts what the store in `root` holds. */
export async function surveyStore(root: string): Promise<StoreStats> {
  const entries = await listFiles(root, RESULTS);
  const blobs = await listFiles(root, CONTENTS);
  let oldestMs: number | undefined;
  let newestMs: number | undefined;
  for (const {usedMs} of entries) {
    oldestMs = Math.min(oldestMs ?? usedMs, usedMs);
    newestMs = Math.max(newestMs ?? usedMs, usedMs);
  }
  const bytes = [...entries, ...blobs].reduce((sum, {size}) => sum + size, 0);
  return {entries: entries.length, blobs: blobs.length, bytes, oldestMs, newestMs};
}

/** What a check of a whole store found. */
export interface Verified {
  readonly entries: number;
  readonly blobs: number;
  /** The paths of files that were damaged; they have been removed. */
  readonly damaged: readonly string[];
  /** The paths of entries that refer to a file that is not there: harmless, they count as misses. */
  readonly incomplete: readonly string[];
}

/** Reads everything in a store, and removes what is damaged. */
export async function verifyStore(layout: Layout): Promise<Verified> {
  const {root} = layout;
  const limit = pLimit(BREADTH);
  const blobs = await listFiles(root, CONTENTS);
  const damaged: string[] = [];
  const whole = new Set<string>();
  await limit.map(blobs, async ({digest, path}) => {
    const content = await hashFile(path, 'refuse');
    if (content.ok && content.value.digest === digest) whole.add(digest);
    else damaged.push(path);
  });
  const entries = await listFiles(root, RESULTS);
  const incomplete: string[] = [];
  for (const {digest, path} of entries) {
    const {record} = readRecord(path, digest);
    if (record === undefined) damaged.push(path);
    else if (record === 'older') continue;
    else if (!record.outputs.every((output) => whole.has(output.digest))) incomplete.push(path);
  }
  await limit.map(damaged, (path) => removeStored(layout, path));

  return {
    entries: entries.length,
    blobs: blobs.length,
    damaged: damaged.sort(),
    incomplete: incomplete.sort(),
  };
}

/** What does not belong into a store. */
export interface Intruders {
  /** The paths of what belongs to other users who are not trusted: it is not used. */
  readonly foreign: readonly string[];
  /** The paths of links, FIFOs, sockets and devices. */
  readonly special: readonly string[];
}

/** Looks for it, without following links. */
export async function findIntruders(layout: Layout): Promise<Intruders> {
  const foreign: string[] = [];
  const special: string[] = [];
  async function look(names: readonly string[], deeper: boolean): Promise<void> {
    await inDirectory(layout.root, names, async ({at}) => {
      for (const name of await listNames(at)) {
        const found = await lstat(join(at, name)).catch(() => undefined);
        if (found === undefined) continue;
        const path = join(layout.root, ...names, name);
        if (!isTrusted(layout, found)) foreign.push(path);
        if (!found.isFile() && !found.isDirectory()) special.push(path);
        if (deeper && found.isDirectory()) await look([...names, name], true);
      }
    });
  }
  await look([], false);
  for (const part of [CONTENTS, RESULTS, TEMPORARIES]) await look([part], true);
  return {foreign: foreign.sort(), special: special.sort()};
}
