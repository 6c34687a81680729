import {indexId, type SourceEntry} from '../../codegen/tables/index-table.js';
import type {Digest} from '../../model/digest.js';

/** What an interpreter knows of a frozen source: `file_stamp` in src/runtime/sources/stamps.c. */
export interface SourceStamp {
  /** The digest of the code unit, which the image has, too: only its first digits are in the file. */
  readonly code: Digest | string;
  /** Of the file (fs/file-identity.ts); 0: look at the content. */
  readonly identity: bigint;
  /** Of the content (source-hash.ts). */
  readonly hash: bigint;
  /** The identity of a bytecode file with the same code; 0: look at it, if there is one. */
  readonly bytecode: bigint;
  /** Index of its directory. */
  readonly folder: number;
}

export interface StampFile {
  /** The identities of directories; 0: look for files that take precedence over a source. */
  readonly folders: readonly bigint[];
  /** In the order of the index; undefined: a source that counts as changed. */
  readonly stamps: readonly (SourceStamp | undefined)[];
  /** Whether identities hold inodes and change times. */
  readonly hasInodes: boolean;
}

const MAGIC = 'FFSTAMP2';
const HEADER_SIZE = 88;
const RECORD_SIZE = 48;
const CODE_DIGITS = 16;

/** The file beside the images of an index. */
export function encodeStamps(
  sources: readonly SourceEntry[],
  {folders, stamps, hasInodes}: StampFile,
): Uint8Array {
  const bytes = Buffer.alloc(HEADER_SIZE + 8 * folders.length + RECORD_SIZE * sources.length);
  bytes.write(MAGIC, 0, 'ascii');
  bytes.write(indexId(sources), 8, 'ascii');
  bytes.writeUInt32LE(sources.length, 72);
  bytes.writeUInt32LE(folders.length, 76);
  bytes.writeUInt32LE(hasInodes ? 1 : 0, 80);
  folders.forEach((identity, i) => bytes.writeBigUInt64LE(identity, HEADER_SIZE + 8 * i));
  stamps.forEach((stamp, i) => {
    if (stamp === undefined) return; // zeros: no image has such a digest
    const at = HEADER_SIZE + 8 * folders.length + RECORD_SIZE * i;
    bytes.write(stamp.code, at, CODE_DIGITS, 'ascii');
    bytes.writeBigUInt64LE(stamp.identity, at + 16);
    bytes.writeBigUInt64LE(stamp.hash, at + 24);
    bytes.writeBigUInt64LE(stamp.bytecode, at + 32);
    bytes.writeUInt32LE(stamp.folder, at + 40);
  });
  return bytes;
}

/** Undefined for what is no file of stamps of this index. */
export function decodeStamps(sources: readonly SourceEntry[], content: Uint8Array): StampFile | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (bytes.length < HEADER_SIZE || bytes.toString('latin1', 0, 72) !== `${MAGIC}${indexId(sources)}`)
    return undefined;
  const folderCount = bytes.readUInt32LE(76);
  const first = HEADER_SIZE + 8 * folderCount;
  if (bytes.readUInt32LE(72) !== sources.length || bytes.length !== first + RECORD_SIZE * sources.length)
    return undefined;
  return {
    hasInodes: bytes.readUInt32LE(80) === 1,
    folders: Array.from({length: folderCount}, (_, i) => bytes.readBigUInt64LE(HEADER_SIZE + 8 * i)),
    stamps: sources.map((_, i) => {
      const at = first + RECORD_SIZE * i;
      if (bytes[at] === 0) return undefined;
      return {
        code: bytes.toString('latin1', at, at + CODE_DIGITS),
        identity: bytes.readBigUInt64LE(at + 16),
        hash: bytes.readBigUInt64LE(at + 24),
        bytecode: bytes.readBigUInt64LE(at + 32),
        folder: bytes.readUInt32LE(at + 40),
      };
    }),
  };
}
