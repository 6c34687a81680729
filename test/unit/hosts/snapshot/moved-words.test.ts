/** Words of dumps that point into what lies elsewhere in each process. */
import {expect, test} from '@jest/globals';
import {compareDumps} from '../../../../src/hosts/snapshot/compare-dumps.js';
import {MAGIC, PAGE, readHeader, writeField} from '../../../../src/hosts/snapshot/dump-format.js';
import {encodeMoves, putMovedWords, readMoves} from '../../../../src/hosts/snapshot/moved-words.js';

const DATA = 0x600000;
const REGION = 0x100000000000;
const OBJECTS = 256;

/** A dump with a page of data and two of the region, of a process in which two objects lie at `places`. */
function dump(places: readonly [number, number], words: Readonly<Record<number, number | bigint>>): Buffer {
  const bytes = Buffer.alloc(4 * PAGE);
  bytes.write(MAGIC, 'latin1');
  const fields = {
    ...{size: bytes.length, headerSize: PAGE, data: DATA, dataSize: PAGE, dataOffset: PAGE},
    ...{region: REGION, regionSize: 2 * PAGE, regionOffset: 2 * PAGE, tlsSize: 32, tlsOffset: 1024},
    ...{objectCount: 2, objectOffset: OBJECTS},
  };
  for (const [name, value] of Object.entries(fields)) writeField(bytes, name as keyof typeof fields, value);
  for (const [i, place] of places.entries()) {
    bytes.writeBigUInt64LE(BigInt(place), OBJECTS + 16 * i);
    bytes.writeBigUInt64LE(0x1000n, OBJECTS + 16 * i + 8);
  }
  for (const [at, value] of Object.entries(words)) bytes.writeBigUInt64LE(BigInt(value), Number(at));
  return bytes;
}

const FIRST = [0x7f0000001000, 0x7f0000801000] as const;
const SECOND = [0x7e0000004000, 0x7e0000804000] as const;

function headerOf(bytes: Buffer) {
  const header = readHeader(bytes);
  if (!header.ok) throw new Error(header.failure.message);
  return header.value;
}

function compare(a: Buffer, b: Buffer) {
  const compared = compareDumps(a, b);
  if (!compared.ok) throw new Error(compared.failure.message);
  return compared.value;
}

test('a word that differs as the place of an object does, and lies in it, is moved; any other one is not', () => {
  const a = dump(FIRST, {
    [PAGE + 8]: FIRST[0] + 0x10,
    [2 * PAGE]: FIRST[1] + 0xfff,
    [2 * PAGE + 8]: FIRST[1] + 0x1000,
    [2 * PAGE + 16]: FIRST[0] + 1,
    [1024 + 24]: FIRST[0],
  });
  const b = dump(SECOND, {
    [PAGE + 8]: SECOND[0] + 0x10,
    [2 * PAGE]: SECOND[1] + 0xfff,
    [2 * PAGE + 8]: SECOND[1] + 0x1000,
    [2 * PAGE + 16]: SECOND[0] + 2,
    [1024 + 24]: SECOND[0],
  });
  expect(compare(a, b)).toMatchObject({
    words: [
      {part: 'region', address: REGION + 8},
      {part: 'region', address: REGION + 16},
    ],
    moved: [
      {part: 'data', address: DATA + 8, object: 0, offset: 0x10},
      {part: 'region', address: REGION, object: 1, offset: 0xfff},
      {part: 'thread-local data', address: 24, object: 0, offset: 0},
    ],
  });
});

test('halves of words may be halves of such addresses, if all that differs is', () => {
  const [a, b] = [FIRST, SECOND].map(([place]) =>
    dump([place, place + 0x800000], {
      [PAGE + 8]: BigInt(place & 0xffff_ffff) + 0x10n,
      [2 * PAGE]: (BigInt(place & 0xffff_ffff) << 32n) + 7n,
      [2 * PAGE + 16]: ((BigInt(place) >> 32n) << 32n) + 5n,
      [2 * PAGE + 8]: (BigInt(place & 0xffff_ffff) << 32n) + BigInt(place === FIRST[0] ? 1 : 2),
    }),
  ) as [Buffer, Buffer];
  const {words, moved} = compare(a, b);
  expect(words).toMatchObject([{part: 'region', address: REGION + 8}]);
  expect(moved).toEqual([
    {part: 'data', address: DATA + 8, half: 'low', object: 0, offset: 0x10},
    {part: 'region', address: REGION, half: 'high of low', object: 0, offset: 0},
    {part: 'region', address: REGION + 16, half: 'high', object: 0, offset: 0},
  ]);
  const header = headerOf(b);
  const expected = Buffer.from(b);
  putMovedWords(b, header, moved);
  expect(b.readBigUInt64LE(2 * PAGE)).toBe(7n);
  putMovedWords(b, header, moved, [{address: SECOND[0], size: 0x1000}]);
  expect(b).toEqual(expected);
});

test('where objects have one place in both processes, words that lie in them count as pointers', () => {
  const words = {[PAGE + 8]: FIRST[0] + 0x10, [3 * PAGE]: FIRST[1] + 8, [3 * PAGE + 8]: 0x1234};
  expect(compare(dump(FIRST, words), dump(FIRST, words))).toEqual({
    words: [],
    moved: [
      {part: 'data', address: DATA + 8, object: 0, offset: 0x10},
      {part: 'region', address: REGION + PAGE, object: 1, offset: 8},
    ],
  });
});

test('the table of a start has them all, and puts them where a process has its objects', () => {
  const words = [
    {part: 'region', address: REGION + 0x1008, object: 1, offset: 0x20},
    {part: 'data', address: DATA + 16, object: 0, offset: 1},
    {part: 'region', address: REGION, object: 1, offset: 0x28},
    {part: 'thread-local data', address: 8, object: 0, offset: 0},
    {part: 'thread-local data', address: 16, object: 0, offset: 0, half: 'low of high'},
  ] as const;
  const bytes = dump(FIRST, {});
  const header = headerOf(bytes);
  const {bytes: table, count} = encodeMoves(words, header);
  expect(count).toBe(4);
  const read = readMoves(table, {...header, moveCount: count, moveOffset: 0});
  expect(read).toHaveLength(words.length);
  expect(read).toEqual(expect.arrayContaining([...words]));
  const objects = SECOND.map((address) => ({address, size: 0x1000}));
  putMovedWords(bytes, header, read, objects);
  expect(bytes.readBigUInt64LE(3 * PAGE + 8)).toBe(BigInt(SECOND[1] + 0x20));
  expect(bytes.readBigUInt64LE(PAGE + 16)).toBe(BigInt(SECOND[0] + 1));
  expect(bytes.readBigUInt64LE(1032)).toBe(BigInt(SECOND[0]));
  putMovedWords(bytes, header, read);
  expect(bytes.subarray(PAGE)).toEqual(Buffer.alloc(3 * PAGE));
});

test('so are addresses, and upper halves of some, in structures that were copied as bytes', () => {
  const at = 2 * PAGE;
  const fill = (bytes: Buffer, place: number): Buffer => {
    bytes.writeBigUInt64LE(BigInt(place + 0x20), at + 64 + 7);
    // What was there before, of which a number of 32 bits has taken the lower half.
    bytes.writeUInt32LE(Math.floor(place / 2 ** 32), at + 128 + 5);
    return bytes;
  };
  const [a, b] = [fill(dump(FIRST, {}), FIRST[0]), fill(dump(SECOND, {}), SECOND[0])];
  const {words, moved} = compare(a, b);
  expect(words).toEqual([]);
  expect(moved).toContainEqual({part: 'region', address: REGION + 71, object: 0, offset: 0x20});
  expect(moved).toContainEqual({
    part: 'region',
    address: REGION + 133,
    half: 'low of high',
    object: 0,
    offset: 0,
  });
  const {bytes, count} = encodeMoves(moved, headerOf(a));
  const packed = dump(FIRST, {});
  writeField(packed, 'moveCount', count);
  writeField(packed, 'moveOffset', packed.length);
  const whole = Buffer.concat([packed, bytes]);
  expect(new Set(readMoves(whole, headerOf(whole)))).toEqual(new Set(moved));
  putMovedWords(a, headerOf(a), moved, [{address: SECOND[0], size: 0x1000}]);
  expect(a.subarray(at, at + 256)).toEqual(b.subarray(at, at + 256));
});
