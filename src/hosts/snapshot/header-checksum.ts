import {type DumpHeader, MAGIC} from './dump-format.js';

/** FACTOR of src/runtime/snapshot/word-sums.c. */
const FACTOR = 0x9e3779b97f4a7c15n;
const WORD = 8;

/**
 * Writes the checksum of the header into it: a start compares it. Whatever changes the header afterwards has to do it again.
 * @param bytes a snapshot
 */
export function sealHeader(bytes: Buffer, {headerSize}: Pick<DumpHeader, 'headerSize'>): void {
  bytes.writeBigUInt64LE(headerChecksum(bytes.subarray(0, headerSize)), MAGIC.length);
}

/** The checksum of a header, as checksum() of src/runtime/snapshot/restore.c: of its words behind the field that holds it. */
export function headerChecksum(header: Buffer): bigint {
  return sumOfWords(header.subarray(MAGIC.length + WORD));
}

/** What src/runtime/snapshot/word-sums.c makes of bytes: of their words, the last one filled up with zeros. */
export function sumOfWords(bytes: Buffer): bigint {
  const sums = [1n, 2n, 3n, 4n];
  const rest = bytes.length % WORD;
  const words = rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(WORD - rest)]);
  for (let at = 0, i = 0; at < words.length; at += WORD, i = (i + 1) % sums.length) {
    sums[i] = add(sums[i] ?? 0n, words.readBigUInt64LE(at));
  }
  return sums.reduce(add, 0n);
}

function add(sum: bigint, word: bigint): bigint {
  return BigInt.asUintN(64, (sum ^ word) * FACTOR);
}
