import {PAGE, type Range} from './dump-format.js';
import {type ElfPart, PF_W, PT_LOAD, segmentsOf} from '../../codegen/object-file/elf-file.js';

/** The last writable segment that is loaded; undefined if there is none. What is not in the file is zero. */
export function dataSegmentOf(executable: Buffer): ElfPart | undefined {
  const segment = segmentsOf(executable)
    .filter(({type, flags}) => type === PT_LOAD && (flags & PF_W) !== 0)
    .at(-1);
  if (segment === undefined) return undefined;
  const {address, offset, fileSize} = segment;
  return {address, offset, fileSize};
}

/**
 * What pages of data hold that nobody has written, as long as the executable is mapped: its own bytes, also those behind the segment
 * in its last page, and zeros.
 */
export function untouchedData(executable: Buffer, segment: ElfPart, {address, size}: Range): Buffer {
  const bytes = Buffer.alloc(size);
  const end = Math.ceil((segment.address + segment.fileSize) / PAGE) * PAGE;
  const from = address - segment.address + segment.offset;
  executable.copy(bytes, 0, from, from + Math.max(0, Math.min(size, end - address)));
  return bytes;
}
