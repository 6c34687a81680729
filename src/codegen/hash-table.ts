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
