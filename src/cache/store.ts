import {constants} from 'node:fs';
import {chmod, copyFile, readFile, rm, stat, utimes} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {Digest} from '../model/digest.js';
import {errnoOf} from '../model/errno.js';
import {err, fail, ok, type Result} from '../model/result.js';
import type {Collected, CollectLimits} from './collection.js';
import {
  attempt,
  copyFileAtomic,
  ensureFolder,
  hashFile,
  ioFailure,
  removeQuietly,
  writeFileAtomic,
} from '../fs/files.js';
import {CONTENTS, layoutOf, RESULTS, type Layout} from './store-layout.js';
import {decodeRecord, encodeRecord, type ActionRecord, type StoredOutput} from './record.js';
import {createTidier, memoryFile, type Tidier} from './tidy.js';
import {surveyStore, verifyStore, type StoreStats, type Verified} from './survey.js';

/** The result of a look-up in the store. Damage is never an error: it is removed, reported in `warnings`, and counts as a miss. */
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
   * The result for a key, if it is complete as far as can be checked without reading its files. Fails with IO
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
  /** Removes old results, then the least recently used ones, until the limits hold. */
  readonly collect: (limits: CollectLimits) => Promise<Collected>;
  /** The same after a build, if it is due; otherwise undefined. Free if nothing was stored. */
  readonly tidy: (limits: CollectLimits) => Promise<Collected | undefined>;
}

/**
 * Opens the store in a directory, which is created when it is missing. A directory that others may write to is shared with them: so
 * are all directories that are made in it. Fails with CACHE when that is not possible.
 */
export async function openStore(root: string): Promise<Result<Store>> {
  const made = await ensureFolder(root);
  const {mode = 0} = (await stat(root).catch(() => undefined)) ?? {};
  const layout = layoutOf(root, mode);
  const folders = [join(root, CONTENTS), join(root, RESULTS), layout.temporary];
  const results = made.ok
    ? await Promise.all(folders.map((folder) => prepareFolder(layout, folder)))
    : [made];
  for (const result of results) {
    if (result.ok) continue;
    return fail('CACHE', `cannot use the cache in ${root}: ${result.failure.message}`, {
      hint: 'select another directory with --cache-dir',
    });
  }
  const tidier = createTidier(layout);
  return ok({
    root,
    get: (key) => getRecord(layout, key),
    put: (key, record, files) => putRecord(layout, tidier, key, record, files),
    materialise: (output, path) => materialise(layout, output, path),
    stats: () => surveyStore(root),
    verify: () => verifyStore(root),
    clear: () => clearStore(layout),
    collect: tidier.collect,
    tidy: tidier.tidy,
  });
}

/** Creates a directory of the store, unless it is there, with the permissions that it has to have. */
async function prepareFolder(layout: Layout, folder: string): Promise<Result<void>> {
  return layout.sharedMode === undefined ? ensureFolder(folder) : shareFolder(layout, folder);
}

/** The same for a store that is shared; in another one, directories are made when they are found missing. */
async function shareFolder({sharedMode}: Layout, folder: string): Promise<Result<void>> {
  if (sharedMode === undefined) return ok();
  if ((await stat(folder).catch(() => undefined)) !== undefined) return ok();
  const made = await ensureFolder(folder);
  // Another user may have been faster, and has set them.
  if (made.ok) await chmod(folder, sharedMode).catch(() => undefined);
  return made;
}

/** Collections depend on the use of entries; files are touched occasionally for other tools that share the store. */
const TOUCH_AFTER_MS = 3_600_000;

const MISS: Result<Lookup> = ok({record: undefined, warnings: []});

async function getRecord(layout: Layout, key: Digest): Promise<Result<Lookup>> {
  const path = layout.entry(key);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isDamage(error)) return ok({record: undefined, warnings: [await discard('entry', path)]});
    return errnoOf(error) === 'ENOENT' ? MISS : err(ioFailure('read', path, error));
  }
  const record = decodeRecord(text, key);
  if (record === 'older') return MISS;
  if (record === undefined) return ok({record, warnings: [await discard('entry', path)]});
  for (const output of record.outputs) {
    const blob = layout.blob(output.digest);
    const found = await stat(blob).catch(() => undefined);
    // Collected meanwhile, by us or by another tool that shares the store: an ordinary miss.
    if (found === undefined) return MISS;
    if (found.size !== output.size) return ok({record: undefined, warnings: [await discard('file', blob)]});
    if (Date.now() - found.mtimeMs > TOUCH_AFTER_MS) await touch(blob);
  }
  if (!(await touch(path))) await renew(layout, path, text);
  return ok({record, warnings: []});
}

async function putRecord(
  layout: Layout,
  tidier: Tidier,
  key: Digest,
  record: ActionRecord,
  files: Readonly<Record<string, string>>,
): Promise<Result<void>> {
  for (const output of record.outputs) {
    const from = files[output.name];
    if (from === undefined) return fail('CACHE', `no file given for the output ${output.name}`);
    const stored = await putBlob(layout, tidier, output, from);
    if (!stored.ok) return stored;
  }
  const text = encodeRecord(record);
  tidier.grew(text.length);
  return writeEntry(layout, layout.entry(key), text);
}

async function writeEntry(layout: Layout, path: string, text: string): Promise<Result<void>> {
  const folder = await shareFolder(layout, dirname(path));
  return folder.ok ? writeFileAtomic(path, text, layout.temporary, ENTRY_MODE) : folder;
}

/** Everyone who may read the directory may read its files, whatever the umask of their writer. */
const ENTRY_MODE = 0o644;

async function putBlob(
  layout: Layout,
  tidier: Tidier,
  output: StoredOutput,
  from: string,
): Promise<Result<void>> {
  const blob = layout.blob(output.digest);
  const found = await stat(blob).catch(() => undefined);
  if (found?.size === output.size) {
    await touch(blob);
    return ok();
  }
  const folder = await shareFolder(layout, dirname(blob));
  if (!folder.ok) return folder;
  tidier.grew(output.size);
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
    // If the file in the store is readable and complete, the destination of the copy is at fault.
    const content = await hashFile(blob);
    if (content.ok && content.value.digest === output.digest) return err(ioFailure('write', path, error));
    const isBroken = content.ok || isDamage(error);
    return ok({hit: false, warnings: isBroken ? [await discard('file', blob)] : []});
  }
  const copy = await hashFile(path);
  if (!copy.ok) return copy;
  if (copy.value.digest === output.digest) return ok({hit: true, warnings: []});
  await removeQuietly(path);
  return ok({hit: false, warnings: [await discard('file', blob)]});
}

/** Whether an error of reading means that what should be there is not a file any more, or not a whole one. */
function isDamage(error: unknown): boolean {
  return ['EISDIR', 'EIO'].includes(errnoOf(error) ?? '');
}

async function discard(what: 'entry' | 'file', path: string): Promise<string> {
  const outcome = (await removeQuietly(path)) ? 'has been removed' : 'cannot be removed';
  return `the ${what === 'entry' ? 'cache entry' : 'cached file'} ${path} was damaged and ${outcome}`;
}

/** Records a use. A read-only store records nothing. */
async function touch(path: string): Promise<boolean> {
  const now = new Date();
  return utimes(path, now, now).then(
    () => true,
    () => false,
  );
}

/** Notes the use of an entry that another user wrote, whose times are not ours to set: now and then it becomes our own. */
async function renew(layout: Layout, path: string, text: string): Promise<void> {
  if (layout.sharedMode === undefined) return;
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && Date.now() - found.mtimeMs > TOUCH_AFTER_MS)
    await writeEntry(layout, path, text);
}

async function clearStore(layout: Layout): Promise<Result<void>> {
  await removeQuietly(memoryFile(layout));
  for (const folder of [join(layout.root, RESULTS), join(layout.root, CONTENTS), layout.temporary]) {
    const removed = await attempt('remove', folder, () => rm(folder, {recursive: true, force: true}));
    if (!removed.ok) return removed;
    const made = await prepareFolder(layout, folder);
    if (!made.ok) return made;
  }
  return ok();
}
