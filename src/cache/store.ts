import {constants, lstatSync, lutimesSync, type Stats} from 'node:fs';
import {lstat, mkdir, open, realpath} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {Digest} from '../model/digest.js';
import {errnoOf} from '../model/errno.js';
import {err, fail, ok, type Result} from '../model/result.js';
import type {Collected, CollectLimits} from './collection.js';
import {
  attempt,
  copyExpected,
  copyFileAtomic,
  ensureFolder,
  hashFile,
  ioFailure,
  removeQuietly,
  writeFileAtomic,
} from '../fs/files.js';
import {foreignLinkOn} from '../fs/links.js';
import {isForeign, isOnlyOurs, nameOfUser, ownUser} from '../fs/owners.js';
import {isReachedByOthers} from '../fs/readers.js';
import {clearStore, removeStored} from './clearing.js';
import {CONTENTS, inDirectory, isShared, isTrusted, layoutOf, RESULTS, type Layout} from './store-layout.js';
import {encodeRecord, type ActionRecord, type StoredOutput} from './record.js';
import {isDamage, readRecord, type RecordFile} from './record-file.js';
import {openSeal} from './seal.js';
import {createTidier, type Tidier} from './tidy.js';
import {
  findIntruders,
  surveyStore,
  verifyStore,
  type Intruders,
  type StoreStats,
  type Verified,
} from './survey.js';

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
  /** Whether other users can reach what is in it. */
  readonly isShared: boolean;
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
  /** Finds what belongs to others, and what is neither a file nor a directory. */
  readonly intruders: () => Promise<Intruders>;
  /** Removes what has names of the store's own. Fails with IO. */
  readonly clear: () => Promise<Result<void>>;
  /** Removes old results, then the least recently used ones, until the limits hold. */
  readonly collect: (limits: CollectLimits) => Promise<Collected>;
  /** The same after a build, if it is due; otherwise undefined. Free if nothing was stored. */
  readonly tidy: (limits: CollectLimits) => Promise<Collected | undefined>;
}

export interface StoreOptions {
  /** Use what other users wrote: they can then decide what this user runs. */
  readonly trustOthers?: boolean | undefined;
}

/**
 * Opens the store in a directory, which is created when it is missing. A directory that others may write to is shared with them: so
 * are all directories that are made in it. Fails with CACHE when that is not possible, and for a directory of another user who is
 * not trusted.
 */
export async function openStore(
  path: string,
  {trustOthers = false}: StoreOptions = {},
): Promise<Result<Store>> {
  const made = await ensureFolder(path, PRIVATE);
  const hint = 'select another directory with --cache-dir';
  if (!made.ok) return fail('CACHE', `cannot use the cache in ${path}: ${made.failure.message}`, {hint});
  const link = trustOthers ? undefined : foreignLinkOn(path);
  if (link !== undefined) {
    const owner = nameOfUser(link.uid);
    return fail('CACHE', `the cache in ${path} lies behind ${link.path}, a symbolic link of ${owner}`, {
      hint: `pass --trust-cache to use it, or ${hint}`,
    });
  }
  // The user's own path may lead through links of the user; below it there are none.
  const root = await realpath(path).catch(() => path);
  const stats = await lstat(root).catch(() => undefined);
  if (stats !== undefined && !trustOthers && isForeign(stats)) {
    const owner = nameOfUser(stats.uid);
    return fail('CACHE', `the cache in ${path} belongs to ${owner}, who can change what is in it`, {
      hint: `pass --trust-cache to use it, or ${hint}`,
    });
  }
  const seal = isShared(stats?.mode ?? 0) ? await openSeal(path) : undefined;
  const layout = layoutOf(root, stats?.mode ?? 0, trustOthers, seal);
  for (const folder of [join(root, CONTENTS), join(root, RESULTS), layout.temporary]) {
    const result = await prepareFolder(layout, folder);
    if (!result.ok)
      return fail('CACHE', `cannot use the cache in ${path}: ${result.failure.message}`, {hint});
  }
  const tidier = createTidier(layout);
  const strangers = {isTold: false};
  return ok({
    root,
    isShared: layout.sharedMode !== undefined || isReachedByOthers(root),
    get: (key) => getRecord(layout, key, strangers),
    put: (key, record, files) => putRecord(layout, tidier, key, record, files),
    materialise: (output, path) => materialise(layout, output, path),
    stats: () => surveyStore(root),
    verify: () => verifyStore(layout),
    intruders: () => findIntruders(layout),
    clear: () => clearStore(layout),
    collect: tidier.collect,
    tidy: tidier.tidy,
  });
}

/** What a cache holds is as private as what it was made from. */
const PRIVATE = 0o700;

/** A directory of the store, with the permissions that it has to have; made if it is missing. A link in its place is refused. */
async function prepareFolder({sharedMode}: Layout, folder: string): Promise<Result<void>> {
  const found = await lstat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return ok();
  return attempt('create', folder, async () => {
    const isNew = await mkdir(folder).then(
      () => true,
      (error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
        return false;
      },
    );
    // By the open directory, since another user could put a link in its place. Or one was faster, and has set them.
    const opened = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      if (isNew && sharedMode !== undefined) await opened.chmod(sharedMode);
    } finally {
      await opened.close();
    }
  });
}

/** The same for a store that is shared; in another one, directories are made when they are found missing. */
async function shareFolder(layout: Layout, folder: string): Promise<Result<void>> {
  return layout.sharedMode === undefined ? ok() : prepareFolder(layout, folder);
}

/** Collections depend on the use of entries; files are touched occasionally for other tools that share the store. */
const TOUCH_AFTER_MS = 3_600_000;

const MISS: Result<Lookup> = ok({record: undefined, warnings: []});

async function getRecord(layout: Layout, key: Digest, strangers: {isTold: boolean}): Promise<Result<Lookup>> {
  const path = layout.entry(key);
  const {record, owner, isSealed, error} = await readEntry(layout, key);
  if (error !== undefined) {
    if (isDamage(error)) return ok({record: undefined, warnings: [await discard(layout, 'entry', path)]});
    return errnoOf(error) === 'ENOENT' ? MISS : err(ioFailure('read', path, error));
  }
  const refuse = (whose: string): Result<Lookup> => {
    if (strangers.isTold) return MISS;
    strangers.isTold = true;
    return ok({record: undefined, warnings: [strangerWarning(layout, whose)]});
  };
  if (owner !== undefined && !layout.trustOthers && !isOnlyOurs(path, owner)) {
    return refuse(isForeign(owner) ? `of ${nameOfUser(owner.uid)}` : 'that other users may write to');
  }
  if (record === 'older') return MISS;
  if (record === undefined) return ok({record, warnings: [await discard(layout, 'entry', path)]});
  // Another user may have moved a file of this user there.
  const needsMark = layout.sharedMode !== undefined && !layout.trustOthers && owner?.uid === ownUser();
  if (needsMark && !isSealed) return refuse('without the mark of this user');
  for (const output of record.outputs) {
    const blob = layout.blob(output.digest);
    const found = look(blob);
    // Collected meanwhile, by us or by another tool that shares the store: an ordinary miss.
    if (found === undefined) return MISS;
    if (found.size !== output.size || !found.isFile())
      return ok({record: undefined, warnings: [await discard(layout, 'file', blob)]});
    if (Date.now() - found.mtimeMs > TOUCH_AFTER_MS) touch(blob);
  }
  if (!touch(path)) await renew(layout, path, record);
  return ok({record, warnings: []});
}

/**
 * Reads an entry. In a shared store, through no link: files of this user that lie elsewhere, such as in a checkout, say what others wrote.
 */
async function readEntry(layout: Layout, key: Digest): Promise<RecordFile> {
  if (layout.sharedMode === undefined) return readRecord(layout.entry(key), key);
  const found = await inDirectory(layout.root, [RESULTS, key.slice(0, 2)], ({at}) =>
    Promise.resolve(readRecord(join(at, key), key, layout.seal)),
  );
  return found ?? {record: undefined, owner: undefined, isSealed: false, error: {code: 'ENOENT'}};
}

function strangerWarning({root}: Layout, whose: string): string {
  return (
    `the cache in ${root} has results ${whose}, which are not used; ` +
    'with --trust-cache they are, and who may write to it decides what you run'
  );
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
  const text = encodeRecord(record, layout.seal);
  tidier.grew(text.length);
  return writeEntry(layout, layout.entry(key), text);
}

async function writeEntry(layout: Layout, path: string, text: string): Promise<Result<void>> {
  const folder = await shareFolder(layout, dirname(path));
  if (!folder.ok) return folder;
  const written = await writeFileAtomic(path, text, layout.temporary, ENTRY_MODE);
  return written.ok || (await isTheirs(layout, path)) ? ok() : written;
}

/** Whether another user has a file there. It may lie in a sticky directory, where it cannot be replaced. */
async function isTheirs(layout: Layout, path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && !isTrusted(layout, found);
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
  const found = look(blob);
  if (
    found?.isFile() === true &&
    found.size === output.size &&
    (await mayStay(layout, output, blob, found))
  ) {
    touch(blob);
    return ok();
  }
  const folder = await shareFolder(layout, dirname(blob));
  if (!folder.ok) return folder;
  tidier.grew(output.size);
  const copied = await copyFileAtomic(from, blob, output, layout.temporary);
  if (!copied.ok) return (await isTheirs(layout, blob)) ? ok() : copied;
  return copied.value ? ok() : fail('CACHE', `${from} changed before it was stored`);
}

/** Whether a file that is there already is what it should be. One of another user, who need not be a friend, is read. */
async function mayStay(
  layout: Layout,
  output: StoredOutput,
  blob: string,
  stats: {readonly uid: number},
): Promise<boolean> {
  if (isTrusted(layout, stats)) return true;
  const content = await hashFile(blob, 'refuse');
  return content.ok && content.value.digest === output.digest;
}

async function materialise(
  layout: Layout,
  output: StoredOutput,
  path: string,
): Promise<Result<Materialised>> {
  const blob = layout.blob(output.digest);
  const target = {flags: COPY, mode: output.executable ? 0o755 : 0o644, durable: false};
  const copy = (): Promise<boolean> => copyExpected(blob, path, output, 'refuse', target);
  try {
    if (await copy()) return ok({hit: true, warnings: []});
  } catch (error) {
    const content = await hashFile(blob, 'refuse');
    if (!content.ok || content.value.digest !== output.digest) {
      const isBroken = content.ok || isDamage(error);
      return ok({hit: false, warnings: isBroken ? [await discard(layout, 'file', blob)] : []});
    }
    // The file in the store is readable and complete: another action stored it meanwhile, or the destination of the copy is at fault.
    try {
      if (await copy()) return ok({hit: true, warnings: []});
    } catch (again) {
      return err(ioFailure('write', path, again));
    }
  }
  await removeQuietly(path);
  return ok({hit: false, warnings: [await discard(layout, 'file', blob)]});
}

const COPY = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

async function discard(layout: Layout, what: 'entry' | 'file', path: string): Promise<string> {
  const outcome = (await removeStored(layout, path)) ? 'has been removed' : 'cannot be removed';
  return `the ${what === 'entry' ? 'cache entry' : 'cached file'} ${path} was damaged and ${outcome}`;
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Records a use. A read-only store records nothing. */
function touch(path: string): boolean {
  const now = new Date();
  try {
    lutimesSync(path, now, now);
    return true;
  } catch {
    return false;
  }
}

/** Notes the use of an entry that another user wrote, whose times are not ours to set: now and then it becomes our own. */
async function renew(layout: Layout, path: string, record: ActionRecord): Promise<void> {
  if (layout.sharedMode === undefined) return;
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && Date.now() - found.mtimeMs > TOUCH_AFTER_MS)
    await writeEntry(layout, path, encodeRecord(record, layout.seal));
}
