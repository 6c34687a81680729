import {PAGE, type Range} from './dump-format.js';

/** The writable segment of an executable, as its program headers describe it. */
export interface DataSegment {
  readonly address: number;
  /** Where its bytes lie in the file. */
  readonly offset: number;
  /** How many lie there; the rest of the segment is zero. */
  readonly fileSize: number;
}

const [PT_LOAD, PF_W] = [1, 2];

/** The last writable segment that is loaded, of a little-endian ELF file of 64 bits; undefined if there is none. */
export function dataSegmentOf(executable: Buffer): DataSegment | undefined {
  if (executable.length < 64 || executable.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
  const start = Number(executable.readBigUInt64LE(0x20));
  const [size, count] = [executable.readUInt16LE(0x36), executable.readUInt16LE(0x38)];
  if (start + size * count > executable.length) return undefined;
  const segments = Array.from({length: count}, (_, i) => start + size * i)
    .filter((at) => executable.readUInt32LE(at) === PT_LOAD && (executable.readUInt32LE(at + 4) & PF_W) !== 0)
    .map((at) => ({
      address: Number(executable.readBigUInt64LE(at + 0x10)),
      offset: Number(executable.readBigUInt64LE(at + 0x08)),
      fileSize: Number(executable.readBigUInt64LE(at + 0x20)),
    }));
  return segments.at(-1);
}

/**
 * What pages of data hold that nobody has written, as long as the executable is mapped: its own bytes, also those behind the segment
 * in its last page, and zeros.
 */
export function untouchedData(executable: Buffer, segment: DataSegment, {address, size}: Range): Buffer {
  const bytes = Buffer.alloc(size);
  const end = Math.ceil((segment.address + segment.fileSize) / PAGE) * PAGE;
  const from = address - segment.address + segment.offset;
  executable.copy(bytes, 0, from, from + Math.max(0, Math.min(size, end - address)));
  return bytes;
}
