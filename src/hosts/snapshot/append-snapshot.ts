import {bindLazily} from './bind-lazily.js';
import {deferConstructors} from './defer-constructors.js';
import {PAGE} from './dump-format.js';
import {fail, ok, type Result} from '../../model/result.js';

/** The start of a `ff_snapshot_place` (src/runtime/snapshot/place.c). */
const PLACE = Buffer.from('flashfreeze at \0', 'latin1');
const EARLIER = PLACE.length + 16;

/** Writes into an executable where it has the earlier bytes of its images (images-in-place.ts). False if it has no room for that. */
export function writeEarlierPlace(executable: Buffer, address: number, size: number): boolean {
  const place = executable.indexOf(PLACE);
  if (place < 0) return false;
  executable.writeBigUInt64LE(BigInt(address), place + EARLIER);
  executable.writeBigUInt64LE(BigInt(size), place + EARLIER + 8);
  return true;
}

/**
 * An executable with a snapshot behind its end, with the snapshot's place written into it, with constructors that wait for its main program, and with functions of libraries that are looked up when they are called. Fails with SNAPSHOT when the
 * executable has no room for a place, or has a snapshot.
 */
export function appendSnapshot(executable: Buffer, snapshot: Buffer): Result<Buffer> {
  const place = executable.indexOf(PLACE);
  if (place < 0 || executable.includes(PLACE, place + PLACE.length)) {
    return fail('SNAPSHOT', 'the executable was not linked for a snapshot');
  }
  if (executable.readBigUInt64LE(place + PLACE.length) !== 0n) {
    return fail('SNAPSHOT', 'the executable has a snapshot already');
  }
  const offset = Math.ceil(executable.length / PAGE) * PAGE;
  const whole = Buffer.alloc(offset + snapshot.length);
  executable.copy(whole);
  snapshot.copy(whole, offset);
  whole.writeBigUInt64LE(BigInt(offset), place + PLACE.length);
  whole.writeBigUInt64LE(BigInt(snapshot.length), place + PLACE.length + 8);
  deferConstructors(whole);
  bindLazily(whole);
  return ok(whole);
}

/** The snapshot in an executable; undefined if there is none. */
export function snapshotIn(executable: Buffer): Buffer | undefined {
  const place = executable.indexOf(PLACE);
  if (place < 0) return undefined;
  const offset = Number(executable.readBigUInt64LE(place + PLACE.length));
  const size = Number(executable.readBigUInt64LE(place + PLACE.length + 8));
  return size > 0 && offset + size <= executable.length
    ? executable.subarray(offset, offset + size)
    : undefined;
}
