import {PAGE} from './dump-format.js';
import {fail, ok, type Result} from '../../model/result.js';

/** The start of a `ff_snapshot_place` (src/runtime/snapshot/place.c). */
const PLACE = Buffer.from('flashfreeze at \0', 'latin1');
const PLACE_SIZE = PLACE.length + 16;

/**
 * An executable with a snapshot behind its end, and with the snapshot's place written into it. Fails with SNAPSHOT when the
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
  whole.writeBigUInt64LE(BigInt(snapshot.length), place + PLACE_SIZE - 8);
  return ok(whole);
}

/** The snapshot in an executable; undefined if there is none. */
export function snapshotIn(executable: Buffer): Buffer | undefined {
  const place = executable.indexOf(PLACE);
  if (place < 0) return undefined;
  const offset = Number(executable.readBigUInt64LE(place + PLACE.length));
  const size = Number(executable.readBigUInt64LE(place + PLACE_SIZE - 8));
  return size > 0 && offset + size <= executable.length
    ? executable.subarray(offset, offset + size)
    : undefined;
}

/** The executable that a snapshot was appended to, with zeros up to a page at its end; as it is if it has none. */
export function withoutSnapshot(executable: Buffer): Buffer {
  const snapshot = snapshotIn(executable);
  if (snapshot === undefined) return executable;
  const plain = Buffer.from(executable.subarray(0, snapshot.byteOffset - executable.byteOffset));
  const place = plain.indexOf(PLACE);
  plain.fill(0, place + PLACE.length, place + PLACE_SIZE);
  return plain;
}
