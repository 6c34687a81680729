import {constants} from 'node:fs';
import {access, chmod, copyFile, readFile, rm, stat, utimes} from 'node:fs/promises';
import {join} from 'node:path';
import type {Digest} from '../model/digest.js';
import {errnoOf} from '../model/errno.js';
import {err, fail, ok, type Result} from '../model/result.js';
import {collectGarbage, type Collected, type CollectLimits} from './collect.js';
import {
  attempt,
  copyFileAtomic,
  ensureFolder,
  hashFile,
  ioFailure,
  removeQuietly,
  writeFileAtomic,
} from './files.js';
import {CONTENTS, layoutOf, RESULTS, type Layout} from './layout.js';
import {decodeRecord, encodeRecord, type ActionRecord, type StoredOutput} from './record.js';
import {surveyStore, verifyStore, type StoreStats, type Verified} from './survey.js';

/** What a look into the store gave. Damage is never an error: it is removed, told in `warnings`, and counts as a miss. */
export interface Lookup {
  readonly record: ActionRecord | undefined;
  readonly warnings: readonly string[];
}

export interface Materialised {
  /** Whether the file is there now. */
  readonly hit: boolean;
  readonly warnings: readonly string[];
}

/** A local content-addressed store. Any number of processes may use one at once. */
export interface Store {
  readonly root: string;
  /**
   * The result kept under a key, if it is whole as far as that can be seen without reading its files. Fails with IO
   * when the store cannot be read.
   */
  readonly get: (key: Digest) => Promise<Result<Lookup>>;
  /**
   * Keeps a result: `files` has the path of every output by name. The result becomes visible last, when everything it
   * refers to is there, and replaces an earlier one. Fails with CACHE or IO.
   */
  readonly put: (
    key: Digest,
    record: ActionRecord,
    files: Readonly<Record<string, string>>,
  ) => Promise<Result<void>>;
  /**
   * Copies an output of a result to `path`, checks its digest and sets its mode. Writing to the copy cannot damage the
   * store. Not atomic: `path` should be a temporary file. Fails with IO when `path` cannot be written.
   */
  readonly materialise: (output: StoredOutput, path: string) => Promise<Result<Materialised>>;
  readonly stats: () => Promise<StoreStats>;
  /** Reads everything and checks every digest; removes and names what is damaged. */
  readonly verify: () => Promise<Verified>;
  /** Removes everything. Fails with IO. */
  readonly clear: () => Promise<Result<void>>;
  /** Removes what is old, then what was not used for longest, until the limits hold. */
  readonly collect: (limits: CollectLimits) => Promise<Collected>;
}

/** Opens the store in a folder, which is created when it is missing. Fails with CACHE when that is not possible. */
export async function openStore(root: string): Promise<Result<Store>> {
  const layout = layoutOf(root);
  for (const folder of [join(root, CONTENTS), join(root, RESULTS), layout.temporary]) {
    const made = await ensureFolder(folder);
    if (!made.ok) {
      return fail('CACHE', `the cache in ${root} cannot be used: ${made.failure.message}`, {
        hint: 'choose another place with --cache-dir',
      });
    }
  }
  return ok({
    root,
    get: (key) => getRecord(layout, key),
    put: (key, record, files) => putRecord(layout, key, record, files),
    materialise: (output, path) => materialise(layout, output, path),
    stats: () => surveyStore(root),
    verify: () => verifyStore(root),
    clear: () => clearStore(layout),
    collect: (limits) => collectGarbage(layout, limits),
  });
}

/** Collecting goes by the use of entries; files are touched, now and then, for other tools that share the store. */
const TOUCH_AFTER_MS = 3_600_000;

const MISS: Result<Lookup> = ok({record: undefined, warnings: []});

async function getRecord(layout: Layout, key: Digest): Promise<Result<Lookup>> {
  const path = layout.entry(key);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? MISS : err(ioFailure('read', path, error));
  }
  const record = decodeRecord(text, key);
  if (record === undefined) {
    await removeQuietly(path);
    return ok({record, warnings: [`the cache entry ${path} was damaged and has been removed`]});
  }
  for (const output of record.outputs) {
    const blob = layout.blob(output.digest);
    const found = await stat(blob).catch(() => undefined);
    // Collected meanwhile, by us or by another tool that shares the store: an ordinary miss.
    if (found === undefined) return MISS;
    if (found.size !== output.size) return ok({record: undefined, warnings: [await discardDamaged(blob)]});
    if (Date.now() - found.mtimeMs > TOUCH_AFTER_MS) await touch(blob);
  }
  await touch(path);
  return ok({record, warnings: []});
}

async function putRecord(
  layout: Layout,
  key: Digest,
  record: ActionRecord,
  files: Readonly<Record<string, string>>,
): Promise<Result<void>> {
  for (const output of record.outputs) {
    const from = files[output.name];
    if (from === undefined) return fail('CACHE', `no file was given for the output ${output.name}`);
    const stored = await putBlob(layout, output, from);
    if (!stored.ok) return stored;
  }
  return writeFileAtomic(layout.entry(key), encodeRecord(record), layout.temporary);
}

async function putBlob(layout: Layout, output: StoredOutput, from: string): Promise<Result<void>> {
  const blob = layout.blob(output.digest);
  const found = await stat(blob).catch(() => undefined);
  if (found?.size === output.size) {
    await touch(blob);
    return ok();
  }
  const copied = await copyFileAtomic(from, blob, output, layout.temporary);
  if (!copied.ok) return copied;
  return copied.value ? ok() : fail('CACHE', `${from} changed before it was stored`);
}

async function materialise(
  layout: Layout,
  output: StoredOutput,
  path: string,
): Promise<Result<Materialised>> {
  const blob = layout.blob(output.digest);
  try {
    await copyFile(blob, path, constants.COPYFILE_FICLONE);
    await chmod(path, output.executable ? 0o755 : 0o644);
  } catch (error) {
    const readable = await access(blob, constants.R_OK)
      .then(() => true)
      .catch(() => false);
    return readable ? err(ioFailure('write', path, error)) : ok({hit: false, warnings: []});
  }
  const copy = await hashFile(path);
  if (!copy.ok) return copy;
  if (copy.value.digest === output.digest) return ok({hit: true, warnings: []});
  await removeQuietly(path);
  return ok({hit: false, warnings: [await discardDamaged(blob)]});
}

async function discardDamaged(blob: string): Promise<string> {
  await removeQuietly(blob);
  return `the cached file ${blob} was damaged and has been removed`;
}

/** Notes a use. A store that may only be read keeps no note. */
async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

async function clearStore(layout: Layout): Promise<Result<void>> {
  for (const folder of [join(layout.root, RESULTS), join(layout.root, CONTENTS), layout.temporary]) {
    const removed = await attempt('remove', folder, () => rm(folder, {recursive: true, force: true}));
    if (!removed.ok) return removed;
    const made = await ensureFolder(folder);
    if (!made.ok) return made;
  }
  return ok();
}
