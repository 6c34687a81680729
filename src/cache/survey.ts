import {readFile} from 'node:fs/promises';
import pLimit from 'p-limit';
import {hashFile, removeQuietly} from '../fs/files.js';
import {BREADTH, CONTENTS, listFiles, RESULTS} from './store-layout.js';
import {decodeRecord} from './record.js';

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

/** Reads everything in the store in `root`, and removes what is damaged. */
export async function verifyStore(root: string): Promise<Verified> {
  const limit = pLimit(BREADTH);
  const blobs = await listFiles(root, CONTENTS);
  const damaged: string[] = [];
  const whole = new Set<string>();
  await limit.map(blobs, async ({digest, path}) => {
    const content = await hashFile(path);
    if (content.ok && content.value.digest === digest) whole.add(digest);
    else damaged.push(path);
  });
  const entries = await listFiles(root, RESULTS);
  const incomplete: string[] = [];
  await limit.map(entries, async ({digest, path}) => {
    const record = decodeRecord(await readFile(path, 'utf8').catch(() => ''), digest);
    if (record === undefined) damaged.push(path);
    else if (record === 'older') return;
    else if (!record.outputs.every((output) => whole.has(output.digest))) incomplete.push(path);
  });
  await limit.map(damaged, (path) => removeQuietly(path));
  return {
    entries: entries.length,
    blobs: blobs.length,
    damaged: damaged.sort(),
    incomplete: incomplete.sort(),
  };
}
