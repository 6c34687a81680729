/** A program header or a section header of an ELF file, as far as snapshots need it. */
export interface ElfPart {
  readonly address: number;
  /** Where its bytes lie in the file. */
  readonly offset: number;
  /** How many lie there. */
  readonly fileSize: number;
}

/** A program header. */
export interface ElfSegment extends ElfPart {
  readonly type: number;
  readonly flags: number;
  readonly memorySize: number;
  /** Where the header lies. */
  readonly at: number;
}

/** A section header. */
export interface ElfSection extends ElfPart {
  readonly name: string;
}

/** An entry of the table for the dynamic linker. */
export interface DynamicEntry {
  readonly tag: bigint;
  readonly value: bigint;
  /** Where it lies in the file; its value is 8 bytes further. */
  readonly at: number;
}

export const PT_LOAD = 1;
const PT_DYNAMIC = 2;
export const PT_NOTE = 4;
export const PT_GNU_RELRO = 0x6474e552;
export const [PF_W, PF_R] = [2, 4];
export const SECTION_HEADER_SIZE = 64;

/** A tag that stands for nothing, between those of operating systems and those of processors. */
export const UNUSED_TAG = 0x6ffff000n;

/** The program headers of a little-endian ELF file of 64 bits; none of another file. */
export function segmentsOf(file: Buffer): readonly ElfSegment[] {
  if (file.length < 64 || file.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return [];
  const start = Number(file.readBigUInt64LE(0x20));
  const [size, count] = [file.readUInt16LE(0x36), file.readUInt16LE(0x38)];
  if (start + size * count > file.length) return [];
  return Array.from({length: count}, (_, i) => start + size * i).map((at) => ({
    at,
    type: file.readUInt32LE(at),
    flags: file.readUInt32LE(at + 4),
    offset: Number(file.readBigUInt64LE(at + 0x08)),
    address: Number(file.readBigUInt64LE(at + 0x10)),
    fileSize: Number(file.readBigUInt64LE(at + 0x20)),
    memorySize: Number(file.readBigUInt64LE(at + 0x28)),
  }));
}

/** The table for the dynamic linker, without the entry that ends it; empty if there is none. */
export function dynamicEntriesOf(file: Buffer): readonly DynamicEntry[] {
  const table = segmentsOf(file).find(({type}) => type === PT_DYNAMIC);
  const entries: DynamicEntry[] = [];
  if (table === undefined) return entries;
  const end = Math.min(table.offset + table.fileSize, file.length);
  for (let at = table.offset; at + DYNAMIC_ENTRY_SIZE <= end; at += DYNAMIC_ENTRY_SIZE) {
    const tag = file.readBigUInt64LE(at);
    if (tag === DT_NULL) break;
    entries.push({tag, value: file.readBigUInt64LE(at + 8), at});
  }
  return entries;
}

/** Where in the file `size` bytes lie that are loaded to `address`; undefined if they are no part of it. */
export function offsetOf(segments: readonly ElfSegment[], address: number, size: number): number | undefined {
  const part = segments.find(
    (each) =>
      each.type === PT_LOAD && address >= each.address && address + size <= each.address + each.fileSize,
  );
  return part === undefined ? undefined : part.offset + (address - part.address);
}

/** The table of section headers; undefined if there is none. */
export function sectionTableOf(file: Buffer): Buffer | undefined {
  if (segmentsOf(file).length === 0) return undefined;
  const start = Number(file.readBigUInt64LE(0x28));
  const [size, count] = [file.readUInt16LE(0x3a), file.readUInt16LE(0x3c)];
  const end = start + SECTION_HEADER_SIZE * count;
  if (start === 0 || size !== SECTION_HEADER_SIZE || end > file.length) return undefined;
  return file.subarray(start, end);
}

/** The sections whose bytes lie in the file. */
export function sectionsOf(file: Buffer): readonly ElfSection[] {
  const table = sectionTableOf(file);
  if (table === undefined) return [];
  const names = SECTION_HEADER_SIZE * file.readUInt16LE(0x3e);
  if (names + SECTION_HEADER_SIZE > table.length) return [];
  const texts = Number(table.readBigUInt64LE(names + 0x18));
  return Array.from({length: table.length / SECTION_HEADER_SIZE}, (_, i) => SECTION_HEADER_SIZE * i)
    .filter((at) => table.readUInt32LE(at + 4) === SHT_PROGBITS)
    .map((at) => {
      const name = texts + table.readUInt32LE(at);
      return {
        name: file.toString('latin1', name, file.indexOf(0, name)),
        address: Number(table.readBigUInt64LE(at + 0x10)),
        offset: Number(table.readBigUInt64LE(at + 0x18)),
        fileSize: Number(table.readBigUInt64LE(at + 0x20)),
      };
    });
}

const SHT_PROGBITS = 1;
const DT_NULL = 0n;
const DYNAMIC_ENTRY_SIZE = 16;
