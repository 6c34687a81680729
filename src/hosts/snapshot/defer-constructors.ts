import {segmentsOf} from '../../codegen/object-file/elf-file.js';

const PT_DYNAMIC = 2;
const [DT_NULL, DT_INIT, DT_INIT_ARRAYSZ] = [0n, 12n, 27n];
/** Between those of operating systems and those of processors: nobody reads it. */
const UNUSED = 0x6ffff000n;

/**
 * Tells libc in an executable that there are no constructors, in place: its main program runs them if a start is an ordinary one
 * (src/runtime/snapshot/start.c). As it is if the executable has neither a list of them nor a first one.
 */
export function deferConstructors(executable: Buffer): void {
  const dynamic = segmentsOf(executable).find(({type}) => type === PT_DYNAMIC);
  if (dynamic === undefined) return;
  for (let at = dynamic.offset; at + 16 <= dynamic.offset + dynamic.fileSize; at += 16) {
    const tag = executable.readBigUInt64LE(at);
    if (tag === DT_NULL) return;
    if (tag === DT_INIT) executable.writeBigUInt64LE(UNUSED, at);
    if (tag === DT_INIT_ARRAYSZ) executable.writeBigUInt64LE(0n, at + 8);
  }
}
