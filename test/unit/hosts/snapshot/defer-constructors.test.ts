/** Constructors of an executable with a snapshot: its main program runs them. */
import {expect, test} from '@jest/globals';
import {deferConstructors} from '../../../../src/hosts/snapshot/defer-constructors.js';

const [PT_LOAD, PT_DYNAMIC] = [1, 2];
const [DT_NULL, DT_INIT, DT_INIT_ARRAY, DT_FINI_ARRAYSZ, DT_INIT_ARRAYSZ] = [0n, 12n, 25n, 28n, 27n];
const TABLE = 512;

/** An executable of one segment, whose table for the dynamic linker has these entries. */
function executable(entries: readonly (readonly [bigint, bigint])[], type = PT_DYNAMIC): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeBigUInt64LE(64n, 0x20);
  bytes.writeUInt16LE(56, 0x36);
  bytes.writeUInt16LE(1, 0x38);
  bytes.writeUInt32LE(type, 64);
  bytes.writeBigUInt64LE(BigInt(TABLE), 64 + 0x08);
  bytes.writeBigUInt64LE(BigInt(16 * entries.length), 64 + 0x20);
  for (const [i, pair] of entries.entries()) {
    for (const [k, value] of pair.entries()) bytes.writeBigUInt64LE(value, TABLE + 16 * i + 8 * k);
  }
  return bytes;
}

test('the list of constructors becomes empty, the first one is not called, and nothing else changes', () => {
  const entries = (size: bigint, first: bigint) =>
    [
      [first, 0x421000n],
      [DT_INIT_ARRAY, 0x1000n],
      [DT_INIT_ARRAYSZ, size],
      [DT_FINI_ARRAYSZ, 16n],
      [DT_NULL, 0n],
      [DT_INIT_ARRAYSZ, 5n], // behind the end of the table
    ] as const;
  const bytes = executable(entries(40n, DT_INIT));
  deferConstructors(bytes);
  expect(bytes).toEqual(executable(entries(0n, 0x6ffff000n)));
});

test.each([
  ['without a table', executable([[DT_INIT_ARRAYSZ, 40n]], PT_LOAD)],
  ['without constructors', executable([[DT_INIT_ARRAY, 0x1000n]])],
  ['that is none', Buffer.from('#!/bin/sh\n'.repeat(20))],
])('an executable %s stays as it is', (_, bytes) => {
  const before = Buffer.from(bytes);
  deferConstructors(bytes);
  expect(bytes).toEqual(before);
});
