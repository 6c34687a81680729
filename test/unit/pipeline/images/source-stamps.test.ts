import {expect, test} from '@jest/globals';
import {indexId} from '../../../../src/codegen/tables/index-table.js';
import {encodeStamps} from '../../../../src/pipeline/images/source-stamps.js';

const SOURCES = [
  {module: 'json', root: 0, key: 'json', isPackage: true},
  {module: 'app', root: 1, key: 'app', isPackage: false},
];

test('stamps are what src/runtime/sources/stamps.c reads: a header, then size and time of each source', () => {
  const bytes = Buffer.from(
    encodeStamps(SOURCES, [{size: 5n, mtimeNs: 1_700_000_000_123_456_789n}, undefined]),
  );
  expect(bytes.length).toBe(80 + 2 * 16);
  expect(bytes.toString('latin1', 0, 72)).toBe(`FFSTAMP1${indexId(SOURCES)}`);
  expect(bytes.readBigUInt64LE(72)).toBe(2n);
  expect([bytes.readBigInt64LE(80), bytes.readBigInt64LE(88)]).toEqual([5n, 1_700_000_000_123_456_789n]);
  // No file has this size: a source that could not be read is one that has changed.
  expect([bytes.readBigInt64LE(96), bytes.readBigInt64LE(104)]).toEqual([-1n, 0n]);
});

test('stamps of no sources are a header', () => {
  expect(encodeStamps([], []).length).toBe(80);
});
