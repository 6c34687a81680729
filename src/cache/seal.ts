import {createHmac, randomBytes, timingSafeEqual} from 'node:crypto';
import {link} from 'node:fs/promises';
import {join} from 'node:path';
import {removeQuietly, temporaryIn, writeFileAtomic} from '../fs/files.js';
import {isForeign, isOnlyOurs} from '../fs/owners.js';
import {ensurePrivate} from '../fs/private-directory.js';
import {withRegular} from '../fs/regular-file.js';
import {lstat} from '../fs/recorded-fs.js';
import {withoutRecording} from '../fs/recording.js';
import {removeFile} from '../fs/removal.js';
import type {Digest} from '../model/digest.js';
import {privateCacheDir} from './private-cache-dir.js';

/**
 * Marks results as made by this user. In a shared store, the owner of a file does not say who wrote it: who may write to a directory
 * may move a file there, such as one of a checkout of what they wrote.
 */
export interface Seal {
  /** The mark of a result with this digest. */
  readonly of: (sum: Digest) => string;
  readonly isOf: (sum: Digest, mark: string) => boolean;
}

const BYTES = 32;
const FORM = /^[0-9a-f]{64}$/;

/** The seal of this user, whose secret is kept in the user's own cache directory. Undefined if there is no place for it. */
export async function openSeal(cacheDir: string): Promise<Seal | undefined> {
  const folder = join(privateCacheDir(cacheDir), 'seal');
  await clearWrongKind(folder);
  if (!(await ensurePrivate(folder)).ok) return undefined;
  const file = join(folder, 'secret');
  const secret = (await readSecret(file)) ?? (await makeSecret(folder, file));
  return secret === undefined ? undefined : sealWith(secret);
}

/** A file of this user's in the place of the directory: without the directory, no result in a shared store would be used. */
async function clearWrongKind(folder: string): Promise<void> {
  const stats = await withoutRecording(() => lstat(folder)).catch(() => undefined);
  if (stats?.isFile() === true && !isForeign(stats)) await removeFile(folder);
}

function sealWith(secret: string): Seal {
  const of = (sum: Digest): string => createHmac('sha256', secret).update(sum).digest('hex');
  return {
    of,
    isOf: (sum, mark) => FORM.test(mark) && timingSafeEqual(Buffer.from(of(sum)), Buffer.from(mark)),
  };
}

async function readSecret(file: string): Promise<string | undefined> {
  return withRegular(file, 'refuse', async ({handle, stats}) => {
    if (!isOnlyOurs(file, stats) || stats.size !== 2 * BYTES) return undefined;
    const text = await handle.readFile('utf8');
    return FORM.test(text) ? text : undefined;
  }).catch(() => undefined);
}

/** Of several processes, one makes the secret. What is there and is none is replaced. */
async function makeSecret(folder: string, file: string): Promise<string | undefined> {
  const fresh = temporaryIn(folder);
  const written = await writeFileAtomic(fresh, randomBytes(BYTES).toString('hex'), folder, 0o600);
  if (!written.ok) return undefined;
  try {
    await link(fresh, file).catch(async () => {
      if ((await readSecret(file)) !== undefined) return;
      await removeQuietly(file);
      await link(fresh, file);
    });
  } catch {
    // Another process replaces it, too.
  } finally {
    await removeQuietly(fresh);
  }
  return readSecret(file);
}
