/** Images of an executable with a snapshot: as the snapshot has them, and what they were before. */
import {describe, expect, test} from '@jest/globals';
import * as fc from 'fast-check';
import {addSegment} from '../../../../src/hosts/snapshot/add-segment.js';
import {
  type DumpHeader,
  MAGIC,
  PAGE,
  readHeader,
  writeField,
} from '../../../../src/hosts/snapshot/dump-format.js';
import {imagesIn, withImagesOf} from '../../../../src/hosts/snapshot/images-in-place.js';
import {PT_LOAD, PT_NOTE, sectionsOf, segmentsOf} from '../../../../src/codegen/object-file/elf-file.js';

const [DATA, TEXT] = [0x600000, 0x400000];
const PLACE = 2000;
/** Sections of the second page of the file: what is in front of the images, two kinds of these, and the names of all. */
const SECTIONS = [
  {name: '.data', offset: PAGE, size: 96},
  {name: 'ff_written', offset: PAGE + 96, size: 400},
  {name: 'ff_text', offset: PAGE + 496, size: 1000},
  {name: '.shstrtab', offset: 2 * PAGE, size: 64},
];
const TABLE = 2 * PAGE + 64;

/** Notes as linkers write them: the size of the name and of the content, the type, and both. */
function note(type: number, content: number): Buffer {
  const bytes = Buffer.alloc(16 + content);
  for (const [i, value] of [4, content, type].entries()) bytes.writeUInt32LE(value, 4 * i);
  bytes.write('GNU\0', 12);
  return bytes;
}

/** An executable with images in its data, and two segments of notes; the build id is in the second one. */
function elf(
  images: Buffer = Buffer.alloc(1400, 7),
  notes: readonly Buffer[] = [note(5, 16), note(3, 20)],
): Buffer {
  const bytes = Buffer.alloc(TABLE + 64 * (SECTIONS.length + 1));
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeBigUInt64LE(64n, 0x20);
  bytes.writeBigUInt64LE(BigInt(TABLE), 0x28);
  const segments = [
    {type: 1, flags: 5, offset: 0, address: TEXT, size: PAGE, memory: PAGE},
    {type: 1, flags: 6, offset: PAGE, address: DATA, size: 1496, memory: 3 * PAGE},
    ...notes.map((each, i) => {
      each.copy(bytes, 1000 + 100 * i);
      return {
        type: 4,
        flags: 4,
        offset: 1000 + 100 * i,
        address: TEXT + 1000 + 100 * i,
        size: each.length,
        memory: each.length,
      };
    }),
    {type: 7, flags: 4, offset: PAGE, address: DATA, size: 0, memory: 16},
  ];
  const numbers = {
    0x36: 56,
    0x38: segments.length,
    0x3a: 64,
    0x3c: SECTIONS.length + 1,
    0x3e: SECTIONS.length,
  };
  for (const [at, value] of Object.entries(numbers)) bytes.writeUInt16LE(value, Number(at));
  for (const [i, {type, flags, offset, address, size, memory}] of segments.entries()) {
    bytes.writeUInt32LE(type, 64 + 56 * i);
    bytes.writeUInt32LE(flags, 68 + 56 * i);
    for (const [k, value] of [offset, address, address, size, memory, PAGE].entries()) {
      bytes.writeBigUInt64LE(BigInt(value), 72 + 56 * i + 8 * k);
    }
  }
  let name = 1;
  for (const [i, section] of SECTIONS.entries()) {
    const at = TABLE + 64 * (i + 1);
    bytes.writeUInt32LE(name, at);
    bytes.write(section.name, 2 * PAGE + name);
    name += section.name.length + 1;
    bytes.writeUInt32LE(section.name === '.shstrtab' ? 3 : 1, at + 4);
    const address = section.name === '.shstrtab' ? 0 : DATA + section.offset - PAGE;
    for (const [k, value] of [address, section.offset, section.size].entries()) {
      bytes.writeBigUInt64LE(BigInt(value), at + 0x10 + 8 * k);
    }
  }
  bytes.write('flashfreeze at \0', PLACE, 'latin1');
  images.copy(bytes, PAGE + 96);
  return bytes;
}

/** A dump whose images are these. */
function dump(images: Buffer, owned?: number): {readonly bytes: Buffer; readonly header: DumpHeader} {
  const bytes = Buffer.alloc(4 * PAGE, 3);
  bytes.write(MAGIC, 'latin1');
  const fields = {headerSize: PAGE, data: DATA, dataSize: 3 * PAGE, dataOffset: PAGE, rangeOffset: 512};
  bytes.fill(0, MAGIC.length, 1024);
  for (const [name, value] of Object.entries(fields)) writeField(bytes, name as keyof typeof fields, value);
  if (owned !== undefined) {
    writeField(bytes, 'rangeCount', 1);
    bytes.writeBigUInt64LE(BigInt(owned), 512);
    bytes.writeBigUInt64LE(8n, 520);
  }
  images.copy(bytes, PAGE + 96);
  const header = readHeader(bytes);
  if (!header.ok) throw new Error(header.failure.message);
  return {bytes, header: header.value};
}

/** What ff_write_earlier() does with an executable: its images as they were. */
function earlierOf(executable: Buffer): Buffer {
  const [address, size] = [32, 40].map((at) => Number(executable.readBigUInt64LE(PLACE + at))) as [
    number,
    number,
  ];
  const segment = segmentsOf(executable).find((each) => each.address === address);
  expect(segment).toMatchObject({type: PT_LOAD, flags: 4, fileSize: size, memorySize: size});
  const bytes = executable.subarray(segment?.offset, (segment?.offset ?? 0) + size);
  const data = Buffer.from(executable.subarray(PAGE, PAGE + 1496));
  let [at, place] = [0, 0];
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    place += number();
    const length = number();
    const count = Math.floor(length / 2);
    if (length % 2 === 1) data.fill(bytes[at++] ?? 0, place - DATA, place - DATA + count);
    else bytes.copy(data, place - DATA, at, (at += count));
    place += count;
  }
  return data.subarray(96);
}

describe('an executable with the images of a dump', () => {
  test('knows what they were, whatever both are', () => {
    const few = fc
      .array(fc.constantFrom(0, 1, 255), {minLength: 1400, maxLength: 1400})
      .map((all) => Buffer.from(all));
    fc.assert(
      fc.property(few, few, fc.integer({min: 0, max: 1400}), (before, after, from) => {
        before.copy(after, from, from); // a part that is the same
        after[0] = (before[0] ?? 0) ^ 2; // something is to be written back
        const executable = elf(before);
        const {bytes, header} = dump(after);
        const made = withImagesOf(bytes, header, executable);
        expect(imagesIn(made)).toEqual(after);
        expect(earlierOf(made)).toEqual(before);
        expect(made.subarray(PAGE, PAGE + 96)).toEqual(executable.subarray(PAGE, PAGE + 96));
      }),
      {numRuns: 50},
    );
  });

  test('takes little for what is all the same', () => {
    const {bytes, header} = dump(Buffer.alloc(1400, 9));
    const made = withImagesOf(bytes, header, elf());
    expect(made.readBigUInt64LE(PLACE + 40)).toBeLessThan(20n);
  });

  test('is as it was where all are equal, or a word of the dynamic linker is among them', () => {
    const executable = elf();
    for (const each of [dump(Buffer.alloc(1400, 7)), dump(Buffer.alloc(1400, 9), DATA + 96)]) {
      const made = withImagesOf(each.bytes, each.header, executable);
      expect(imagesIn(made).subarray(0, 400)).toEqual(Buffer.alloc(400, 7));
    }
  });

  test.each([
    ['without sections', (bytes: Buffer) => bytes.writeBigUInt64LE(0n, 0x28)],
    ['without a place', (bytes: Buffer) => bytes.fill(0, PLACE, PLACE + 16)],
  ])('%s is as it was', (_, change) => {
    const executable = elf();
    change(executable);
    const {bytes, header} = dump(Buffer.alloc(1400, 9));
    expect(withImagesOf(bytes, header, executable)).toEqual(executable);
  });
});

describe('a segment that is added', () => {
  test('comes behind those that are loaded, and a section describes it', () => {
    const added = addSegment(elf(), Buffer.from('bytes'));
    if (added === undefined) throw new Error('no room');
    expect(added.address).toBe(DATA + 3 * PAGE);
    const segments = segmentsOf(added.file);
    expect(segments.map(({type}) => type)).toEqual([PT_LOAD, PT_LOAD, PT_LOAD, PT_NOTE, 7]);
    expect(segments[2]).toMatchObject({address: added.address, fileSize: 5, memorySize: 5});
    expect(segments[3]).toMatchObject({offset: 1100}); // the build id
    expect(sectionsOf(added.file)).toHaveLength(4);
    const section = sectionsOf(added.file).at(-1);
    expect(section).toMatchObject({name: '.shstrtab', address: added.address, fileSize: 5});
    const {offset = 0} = section ?? {};
    expect(added.file.toString('latin1', offset, offset + 5)).toBe('bytes');
    expect(offset % PAGE).toBe(0);
  });

  test.each([
    ['the notes are a build id', [note(3, 20)]],
    ['there are no notes', []],
  ])('needs a header: none where %s', (_, notes) => {
    expect(addSegment(elf(undefined, notes), Buffer.from('bytes'))).toBeUndefined();
  });
});
