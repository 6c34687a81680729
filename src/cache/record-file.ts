import type {Digest} from '../model/digest.js';
import type {Ownership} from '../fs/owners.js';
import {readWhole, withRegularSync} from '../fs/regular-file.js';
import {errnoOf} from '../model/errno.js';
import {type ActionRecord, decodeRecord, isSealed} from './record.js';
import type {Seal} from './seal.js';

/** A stored result as it was read. */
export interface RecordFile {
  /** Undefined if there is none, or none that can be used. */
  readonly record: ActionRecord | 'older' | undefined;
  /** Its owner and permissions; undefined if it could not be opened. */
  readonly owner: Ownership | undefined;
  /** Whether it has the mark of this user. */
  readonly isSealed: boolean;
  /** Why it could not be opened. */
  readonly error: unknown;
}

/** More than any result takes. */
const MAX_BYTES = 16_000_000;

/** Reads the file of a result: a regular one of reasonable size, which is read through no link. */
export function readRecord(path: string, key: Digest, seal?: Seal): RecordFile {
  try {
    return withRegularSync(
      path,
      (file, stats) => {
        const found = {owner: stats, error: undefined};
        if (stats.size > MAX_BYTES) return {record: undefined, isSealed: false, ...found};
        const text = readWhole(file).toString();
        return {record: decodeRecord(text, key), isSealed: isSealed(text, seal), ...found};
      },
      'refuse',
    );
  } catch (error) {
    return {record: undefined, owner: undefined, isSealed: false, error};
  }
}

/** Whether an error of opening or reading means that what should be there is no file any more, or not a whole one. */
export function isDamage(error: unknown): boolean {
  return ['EISDIR', 'EIO', 'ELOOP', 'ENOTREGULAR', 'ENXIO'].includes(errnoOf(error) ?? '');
}
