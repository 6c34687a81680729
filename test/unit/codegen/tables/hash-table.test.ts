import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {generateTable, hashBuckets, hashBytes} from '../../../../src/codegen/tables/hash-table.js';

test.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('the hash of %j is FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/)', (text, hash) => {
  expect(hashBytes(Buffer.from(text))).toBe(hash);
});

/** As `ff_find` of the runtime does: from the bucket of the hash to the first empty one. */
function find(table: readonly number[], hashes: readonly number[], hash: number): number[] {
  const found: number[] = [];
  for (let i = hash & (table.length - 1); table[i] !== 0; i = (i + 1) & (table.length - 1)) {
    const index = (table[i] ?? 0) - 1;
    if (hashes[index] === hash) found.push(index);
  }
  return found;
}

test('each entry is found by its hash, and nothing by another one', () => {
  const hash = fc.integer({min: 0, max: 2 ** 32 - 1});
  fc.assert(
    fc.property(fc.array(fc.oneof(hash, fc.integer({min: 0, max: 40}))), hash, (hashes, other) => {
      const table = hashBuckets(hashes);
      expect(table.length).toBeGreaterThanOrEqual(2 * hashes.length);
      expect(Math.log2(table.length) % 1).toBe(0);
      for (const each of [...hashes, other]) {
        const expected = hashes.flatMap((known, index) => (known === each ? [index] : []));
        expect(find(table, hashes, each)).toEqual(expected);
      }
    }),
  );
});

test('a table has its rows, its buckets and its text', () => {
  const c = generateTable({
    name: 'thing',
    rows: [[0, 3]],
    hashes: [5],
    text: [Buffer.from('ab'), Buffer.from('c')],
  });
  expect(c).toContain('const ff_thing ff_things[] = {\n{0, 3},\n{0}};');
  expect(c).toContain('const uint32_t ff_thing_count = 1;');
  expect(c).toContain('const uint32_t ff_thing_bucket_mask = 15;');
  expect(c).toContain('const char ff_thing_text[] = "abc";');
});
