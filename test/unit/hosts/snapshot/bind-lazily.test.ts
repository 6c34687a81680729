/** Functions of libraries in an executable with a snapshot: the dynamic linker looks them up when they are called. */
import {expect, test} from '@jest/globals';
import {bindLazily} from '../../../../src/hosts/snapshot/bind-lazily.js';

const [PT_LOAD, PT_DYNAMIC, PT_GNU_RELRO] = [1, 2, 0x6474e552];
const [DT_PLTRELSZ, DT_JMPREL, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1] = [2n, 23n, 24n, 30n, 0x6ffffffbn];
const [RELOCATIONS, TABLE, SLOTS] = [0x400, 0x800, 0x2340];
/** Of its only segment. */
const ADDRESS = 0x400000;

interface Parts {
  readonly relocation?: number;
  /** What calls go through before they are bound. */
  readonly prepared?: bigint;
  readonly relroEnd?: number;
}

/** An executable that calls two functions of libraries. */
function executable({relocation = 7, prepared = 0x401036n, relroEnd = 0x3000}: Parts = {}): Buffer {
  const bytes = Buffer.alloc(0x4000);
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeBigUInt64LE(64n, 0x20);
  bytes.writeUInt16LE(56, 0x36);
  bytes.writeUInt16LE(3, 0x38);
  const headers = [
    [PT_LOAD, 0, 0x4000],
    [PT_DYNAMIC, TABLE, 16 * 6],
    [PT_GNU_RELRO, 0x1800, relroEnd - 0x1800],
  ] as const;
  for (const [i, [type, offset, size]] of headers.entries()) {
    const at = 64 + 56 * i;
    bytes.writeUInt32LE(type, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 0x08);
    bytes.writeBigUInt64LE(BigInt(ADDRESS + offset), at + 0x10);
    bytes.writeBigUInt64LE(BigInt(size), at + 0x20);
    bytes.writeBigUInt64LE(BigInt(size), at + 0x28);
  }
  const entries = [
    [DT_JMPREL, BigInt(ADDRESS + RELOCATIONS)],
    [DT_PLTRELSZ, 48n],
    [DT_FLAGS, 0x1an],
    [DT_BIND_NOW, 0n],
    [DT_FLAGS_1, 0x8000001n],
  ] as const;
  for (const [i, [tag, value]] of entries.entries()) {
    bytes.writeBigUInt64LE(tag, TABLE + 16 * i);
    bytes.writeBigUInt64LE(value, TABLE + 16 * i + 8);
  }
  for (const i of [0, 1]) {
    bytes.writeBigUInt64LE(BigInt(ADDRESS + SLOTS + 8 * i), RELOCATIONS + 24 * i);
    bytes.writeUInt32LE(i === 0 ? 7 : relocation, RELOCATIONS + 24 * i + 8);
    bytes.writeUInt32LE(5, RELOCATIONS + 24 * i + 12);
    bytes.writeBigUInt64LE(prepared, SLOTS + 8 * i);
  }
  return bytes;
}

test('the marks are gone, the page of the table stays writable, and nothing else changes', () => {
  const bytes = executable();
  bindLazily(bytes);
  const expected = executable();
  expected.writeBigUInt64LE(0x12n, TABLE + 16 * 2 + 8);
  expected.writeBigUInt64LE(0x6ffff000n, TABLE + 16 * 3);
  expected.writeBigUInt64LE(0x8000000n, TABLE + 16 * 4 + 8);
  expected.writeBigUInt64LE(0x2000n - 0x1800n, 64 + 56 * 2 + 0x28);
  expect(bytes).toEqual(expected);
});

test.each([
  ['that chooses a function when it starts', executable({relocation: 37})],
  ['whose linker has prepared no calls', executable({prepared: 0n})],
  ['whose table is not with what becomes read-only', executable({relroEnd: 0x2000})],
  ['that is none', Buffer.from('#!/bin/sh\n'.repeat(20))],
])('an executable %s stays as it is', (_, bytes) => {
  const before = Buffer.from(bytes);
  bindLazily(bytes);
  expect(bytes).toEqual(before);
});
