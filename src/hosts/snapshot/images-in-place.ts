import {type DumpHeader, readRanges} from './dump-format.js';
import {type ElfPart, sectionsOf} from '../../codegen/object-file/elf-file.js';
import {addSegment} from './add-segment.js';
import {writeEarlierPlace} from './append-snapshot.js';

/** Bytes that are equal between two entries take less than another entry. */
const SMALL_GAP = 3;

/** The sections of the images: nothing but Python and our runtime uses what lies there (src/codegen/blocks/variables.ts). */
function imageSectionsOf(executable: Buffer): readonly ElfPart[] {
  return sectionsOf(executable).filter(({name}) => name.startsWith('ff_'));
}

/** What the images of an executable are now, one section after the other. */
export function imagesIn(executable: Buffer): Buffer {
  const sections = imageSectionsOf(executable);
  return Buffer.concat(sections.map(({offset, fileSize}) => executable.subarray(offset, offset + fileSize)));
}

/**
 * An executable whose images are as in a dump, and that knows what they were (src/runtime/snapshot/earlier-images.c). As it is if its sections
 * have no names, or there is no room for another segment: then the snapshot holds pages of images, too.
 */
export function withImagesOf(dump: Buffer, header: DumpHeader, executable: Buffer): Buffer {
  const after = Buffer.from(executable);
  const owned = readRanges(dump, header);
  const entries: Buffer[] = [];
  let end = 0;
  const sections = [...imageSectionsOf(executable)].sort((a, b) => a.address - b.address);
  for (const {address, offset, fileSize} of sections) {
    const isInData = address >= header.data && address + fileSize <= header.data + header.dataSize;
    const isOwned = owned.some(
      (range) => range.address < address + fileSize && range.address + range.size > address,
    );
    if (!isInData || isOwned) continue;
    dump.copy(
      after,
      offset,
      header.dataOffset + address - header.data,
      header.dataOffset + address - header.data + fileSize,
    );
    const before = executable.subarray(offset, offset + fileSize);
    for (const {from, size} of differences(before, after.subarray(offset, offset + fileSize))) {
      entries.push(encodeEntry(address + from - end, before.subarray(from, from + size)));
      end = address + from + size;
    }
  }
  const earlier = Buffer.concat(entries);
  if (earlier.length === 0) return executable;
  const added = addSegment(after, earlier);
  if (added === undefined) return executable;
  return writeEarlierPlace(added.file, added.address, earlier.length) ? added.file : executable;
}

/** The stretches in which two buffers of one size differ. */
function differences(a: Buffer, b: Buffer): readonly {readonly from: number; readonly size: number}[] {
  const found: {from: number; size: number}[] = [];
  for (let at = 0; at < a.length; at++) {
    if (a[at] === b[at]) continue;
    const last = found.at(-1);
    if (last !== undefined && at - (last.from + last.size) < SMALL_GAP) last.size = at + 1 - last.from;
    else found.push({from: at, size: 1});
  }
  return found;
}

/** As ff_write_earlier() reads it. Bytes that are all the same are one. */
function encodeEntry(gap: number, bytes: Buffer): Buffer {
  const isSame = bytes.length > 1 && bytes.every((byte) => byte === bytes[0]);
  return Buffer.concat([
    encodeNumber(gap),
    encodeNumber(2 * bytes.length + (isSame ? 1 : 0)),
    isSame ? bytes.subarray(0, 1) : bytes,
  ]);
}

function encodeNumber(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
