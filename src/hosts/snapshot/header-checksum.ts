import {type DumpHeader, MAGIC} from './dump-format.js';

/** CHECKSUM_FACTOR of src/runtime/snapshot/restore.c. */
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
  const sums = [1n, 2n, 3n, 4n];
  for (
    let at = MAGIC.length + WORD, i = 0;
    at + WORD <= header.length;
    at += WORD, i = (i + 1) % sums.length
  ) {
    sums[i] = add(sums[i] ?? 0n, header.readBigUInt64LE(at));
  }
  return sums.reduce(add, 0n);
}

function add(sum: bigint, word: bigint): bigint {
  return BigInt.asUintN(64, (sum ^ word) * FACTOR);
}
