import {cArray, cString} from '../c-text.js';

/** FNV-1a, 32 bits: `ff_hash()` of src/runtime/flashfreeze.h. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return hash;
}

/** Open addressing with linear probing, at most half full: index of an entry + 1, or 0. The size is a power of two. */
export function hashBuckets(hashes: readonly number[]): number[] {
  let size = 16;
  while (size < 2 * hashes.length) size *= 2;
  const table = new Array<number>(size).fill(0);
  hashes.forEach((hash, index) => {
    let i = hash % size;
    while (table[i] !== 0) i = (i + 1) % size;
    table[i] = index + 1;
  });
  return table;
}

/** A table of items compiled at build time, in which the runtime finds rows by hash. */
export interface PreparedTable {
  /** Of the C type of a row, without `ff_`. */
  readonly name: string;
  /** Rows refer to `text` by offset, so that there are no pointers to relocate. */
  readonly rows: readonly (readonly number[])[];
  /** The hash of each row. */
  readonly hashes: readonly number[];
  readonly text: readonly Uint8Array[];
}

/** The C of such a table. */
export function generateTable({name, rows, hashes, text}: PreparedTable): string {
  const buckets = hashBuckets(hashes);
  return [
    `const ff_${name} ff_${name}s[] = {\n${rows.map((row) => `${cArray(row)},\n`).join('')}{0}};`,
    `const uint32_t ff_${name}_count = ${rows.length};`,
    `const uint32_t ff_${name}_buckets[] = ${cArray(buckets)};`,
    `const uint32_t ff_${name}_bucket_mask = ${buckets.length - 1};`,
    `const char ff_${name}_text[] = ${cString(Buffer.concat(text))};`,
  ].join('\n');
}
