import {roundUp} from '../../codegen/object-file/alignment.js';
import {PAGE} from './dump-format.js';
import {
  type ElfSegment,
  PF_R,
  PT_LOAD,
  PT_NOTE,
  SECTION_HEADER_SIZE,
  sectionTableOf,
  segmentsOf,
} from '../../codegen/object-file/elf-file.js';

/** A program header and its place in the table: 56 bytes. */
const HEADER_SIZE = 56;
const NT_GNU_BUILD_ID = 3;
const [SHT_PROGBITS, SHF_ALLOC] = [1, 2];

/**
 * An ELF file with one more segment, which the kernel maps, and where that is. It takes the place of a program header of notes that nobody
 * looks for, because another one repeats them or because they are no build id. A section describes it, so that tools which write the file anew
 * (`strip`) keep it. Undefined if there is no such header.
 */
export function addSegment(
  file: Buffer,
  bytes: Buffer,
): {readonly file: Buffer; readonly address: number} | undefined {
  const segments = segmentsOf(file);
  const sections = sectionTableOf(file);
  const spare = segments.find((segment) => segment.type === PT_NOTE && !hasBuildId(file, segment));
  const loaded = segments.filter(({type}) => type === PT_LOAD);
  const last = loaded.at(-1);
  if (sections === undefined || spare === undefined || last === undefined) return undefined;
  const address = roundUp(Math.max(...loaded.map(({address, memorySize}) => address + memorySize)), PAGE);
  const offset = roundUp(file.length, PAGE);
  const table = roundUp(offset + bytes.length, 8);
  const whole = Buffer.alloc(table + sections.length + SECTION_HEADER_SIZE);
  file.copy(whole);
  bytes.copy(whole, offset);
  sections.copy(whole, table);
  writeSection(whole, table, sections.length, {address, offset, size: bytes.length});
  whole.writeBigUInt64LE(BigInt(table), 0x28);
  whole.writeUInt16LE(sections.length / SECTION_HEADER_SIZE + 1, 0x3c);
  // Segments that are loaded have to follow each other.
  const others = segments.filter((segment) => segment !== spare);
  const order = others.map(({at}) => file.subarray(at, at + HEADER_SIZE));
  order.splice(others.indexOf(last) + 1, 0, segmentHeader({address, offset, size: bytes.length}));
  for (const [i, header] of order.entries()) header.copy(whole, (segments[0]?.at ?? 0) + HEADER_SIZE * i);
  return {file: whole, address};
}

interface Placed {
  readonly address: number;
  readonly offset: number;
  readonly size: number;
}

function segmentHeader({address, offset, size}: Placed): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeUInt32LE(PT_LOAD, 0);
  header.writeUInt32LE(PF_R, 4);
  for (const [i, value] of [offset, address, address, size, size, PAGE].entries()) {
    header.writeBigUInt64LE(BigInt(value), 8 + 8 * i);
  }
  return header;
}

/** Its name is that of the section that holds the names, which is there in any case. */
function writeSection(whole: Buffer, table: number, end: number, {address, offset, size}: Placed): void {
  const at = table + end;
  const names = table + SECTION_HEADER_SIZE * whole.readUInt16LE(0x3e);
  whole.writeUInt32LE(whole.readUInt32LE(names), at);
  whole.writeUInt32LE(SHT_PROGBITS, at + 4);
  for (const [i, value] of [SHF_ALLOC, address, offset, size].entries()) {
    whole.writeBigUInt64LE(BigInt(value), at + 8 + 8 * i);
  }
  whole.writeBigUInt64LE(8n, at + 0x30);
}

function hasBuildId(file: Buffer, {offset, fileSize}: ElfSegment): boolean {
  const end = Math.min(offset + fileSize, file.length);
  for (let at = offset; at + 12 <= end;) {
    const [nameSize, size, type] = [0, 4, 8].map((field) => file.readUInt32LE(at + field)) as [
      number,
      number,
      number,
    ];
    if (type === NT_GNU_BUILD_ID) return true;
    at += 12 + roundUp(nameSize, 4) + roundUp(size, 4);
  }
  return false;
}
