import {
  type DynamicEntry,
  dynamicEntriesOf,
  type ElfSegment,
  offsetOf,
  PT_GNU_RELRO,
  segmentsOf,
  UNUSED_TAG,
} from '../../codegen/object-file/elf-file.js';
import {PAGE} from './dump-format.js';

const [DT_PLTRELSZ, DT_JMPREL, DT_BIND_NOW, DT_FLAGS] = [2n, 23n, 24n, 30n];
const DT_FLAGS_1 = 0x6ffffffbn;
const [DF_BIND_NOW, DF_1_NOW] = [8n, 1n];
const RELOCATION_SIZE = 24;
/** R_X86_64_JUMP_SLOT and R_AARCH64_JUMP_SLOT. */
const JUMP_SLOTS: readonly number[] = [7, 1026];

/**
 * Tells the dynamic linker to look a library's function up when it is first called, in place. An executable for a snapshot is linked with `-z now`,
 * so that the table of these functions lies with what only the dynamic linker writes, before the data that a snapshot replaces. But looking six hundred functions up
 * takes a sixth of a restored start, which calls a tenth of them. The table must stay writable then, so what becomes read-only ends at
 * its page; the size in the file still says where data begins (src/runtime/snapshot/process-state.c). An executable stays as it is whose linker
 * has prepared no such calls.
 */
export function bindLazily(executable: Buffer): void {
  const [segments, entries] = [segmentsOf(executable), dynamicEntriesOf(executable)];
  const relro = segments.find(({type}) => type === PT_GNU_RELRO);
  const slots = slotsOf(executable, segments, entries);
  const first = slots[0];
  if (relro === undefined || first === undefined) return;
  const size = Math.floor(Math.min(...slots) / PAGE) * PAGE - relro.address;
  const isInside = size > 0 && Math.max(...slots) + 8 <= relro.address + relro.memorySize;
  const isPrepared = slots.every((slot) => {
    const at = offsetOf(segments, slot, 8);
    return at !== undefined && executable.readBigUInt64LE(at) !== 0n;
  });
  if (!isInside || !isPrepared) return;
  executable.writeBigUInt64LE(BigInt(relro.memorySize), relro.at + FILE_SIZE);
  executable.writeBigUInt64LE(BigInt(size), relro.at + MEMORY_SIZE);
  for (const {tag, value, at} of entries) {
    if (tag === DT_BIND_NOW) executable.writeBigUInt64LE(UNUSED_TAG, at);
    if (tag === DT_FLAGS) executable.writeBigUInt64LE(value & ~DF_BIND_NOW, at + 8);
    if (tag === DT_FLAGS_1) executable.writeBigUInt64LE(value & ~DF_1_NOW, at + 8);
  }
}

/** In a program header. */
const [FILE_SIZE, MEMORY_SIZE] = [0x20, 0x28];

/** The addresses that calls of functions in libraries go through; none if one of them is of another kind. */
function slotsOf(
  executable: Buffer,
  segments: readonly ElfSegment[],
  entries: readonly DynamicEntry[],
): readonly number[] {
  const valueOf = (wanted: bigint): number => Number(entries.find(({tag}) => tag === wanted)?.value ?? 0n);
  const size = valueOf(DT_PLTRELSZ);
  const table = offsetOf(segments, valueOf(DT_JMPREL), size);
  if (table === undefined) return [];
  const places = Array.from(
    {length: Math.floor(size / RELOCATION_SIZE)},
    (_, i) => table + RELOCATION_SIZE * i,
  );
  // The type is the lower half of r_info.
  return places.every((at) => JUMP_SLOTS.includes(executable.readUInt32LE(at + 8)))
    ? places.map((at) => Number(executable.readBigUInt64LE(at)))
    : [];
}
