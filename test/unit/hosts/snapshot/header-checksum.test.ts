import {randomBytes} from 'node:crypto';
import {expect, test} from '@jest/globals';
import {MAGIC, PAGE, readHeader, writeField} from '../../../../src/hosts/snapshot/dump-format.js';
import {headerChecksum, sealHeader} from '../../../../src/hosts/snapshot/header-checksum.js';

const COVERED = MAGIC.length + 8;

test('each flipped bit of a header changes its checksum, but for those that are compared otherwise', () => {
  const header = randomBytes(PAGE);
  const whole = headerChecksum(header);
  const same: number[] = [];
  for (let bit = 0; bit < 8 * PAGE; bit += 7) {
    const at = bit >> 3;
    header[at] = (header[at] ?? 0) ^ (1 << (bit % 8));
    if (headerChecksum(header) === whole && !same.includes(at)) same.push(at);
    header[at] = (header[at] ?? 0) ^ (1 << (bit % 8));
  }
  expect(headerChecksum(header)).toBe(whole);
  expect(same.every((at) => at < COVERED)).toBe(true);
});

test('words that have changed places, and zeros that were added, change it', () => {
  const header = randomBytes(PAGE);
  const swapped = Buffer.from(header);
  header.copy(swapped, 100 * 8, 104 * 8, 105 * 8);
  header.copy(swapped, 104 * 8, 100 * 8, 101 * 8);
  expect(headerChecksum(swapped)).not.toBe(headerChecksum(header));
  expect(headerChecksum(Buffer.concat([header, Buffer.alloc(PAGE)]))).not.toBe(headerChecksum(header));
});

test('it is written behind the magic, over the header alone', () => {
  const bytes = Buffer.alloc(3 * PAGE, 7);
  bytes.write(MAGIC, 'latin1');
  writeField(bytes, 'headerSize', PAGE);
  const header = readHeader(bytes);
  if (!header.ok) throw new Error(header.failure.message);
  sealHeader(bytes, header.value);
  const sealed = bytes.readBigUInt64LE(MAGIC.length);
  expect(sealed).toBe(headerChecksum(bytes.subarray(0, PAGE)));
  bytes.fill(8, PAGE);
  sealHeader(bytes, header.value);
  expect(bytes.readBigUInt64LE(MAGIC.length)).toBe(sealed);
});
