import {dynamicEntriesOf, UNUSED_TAG} from '../../codegen/object-file/elf-file.js';

const [DT_INIT, DT_INIT_ARRAYSZ] = [12n, 27n];

/**
 * Tells libc in an executable that there are no constructors, in place: its main program runs them if a start is an ordinary one
 * (src/runtime/snapshot/start.c). As it is if the executable has neither a list of them nor a first one.
 */
export function deferConstructors(executable: Buffer): void {
  for (const {tag, at} of dynamicEntriesOf(executable)) {
    if (tag === DT_INIT) executable.writeBigUInt64LE(UNUSED_TAG, at);
    if (tag === DT_INIT_ARRAYSZ) executable.writeBigUInt64LE(0n, at + 8);
  }
}
