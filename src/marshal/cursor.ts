import {failure, type Failure} from '../model/failure.js';

/**
 * A place in marshal bytes. Every read is checked against the end of the data; a failing read returns
 * `null` and sets `failure`. Numbers are little-endian (Python/marshal.c, `r_short`, `r_long`).
 */
export class Cursor {
  /** Offset of the next byte. */
  position = 0;
  /** The reason why reading failed; set once. */
  failure: Failure | undefined;
  /** A private copy: results may alias it, and the caller may modify its own bytes later. */
  readonly #bytes: Uint8Array;
  readonly #text: Buffer;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = new Uint8Array(bytes);
    this.#text = Buffer.from(this.#bytes.buffer);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.position;
  }

  /** Records that the data is unusable: `what` describes the item that begins at byte `offset`. */
  damaged(offset: number, what: string): null {
    this.failure ??= failure('MARSHAL', `the marshal data is damaged at byte ${offset}: ${what}`);
    return null;
  }

  /** An unsigned byte. */
  byte(): number | null {
    const byte = this.#bytes[this.position];
    if (byte === undefined) return this.#ended(1);
    this.position++;
    return byte;
  }

  /** A signed 32-bit number. */
  int32(): number | null {
    if (this.left < 4) return this.#ended(4);
    this.position += 4;
    return this.#view.getInt32(this.position - 4, true);
  }

  /** An unsigned 16-bit number. */
  uint16(): number | null {
    if (this.left < 2) return this.#ended(2);
    this.position += 2;
    return this.#view.getUint16(this.position - 2, true);
  }

  /** A signed 64-bit number. */
  int64(): bigint | null {
    if (this.left < 8) return this.#ended(8);
    this.position += 8;
    return this.#view.getBigInt64(this.position - 8, true);
  }

  /** Eight bytes as unsigned bits. */
  bits64(): bigint | null {
    if (this.left < 8) return this.#ended(8);
    this.position += 8;
    return this.#view.getBigUint64(this.position - 8, true);
  }

  /** A 32-bit count of things that take at least one byte each, which is therefore at most the number of bytes left. */
  count(things: string): number | null {
    const start = this.position;
    const count = this.int32();
    if (count === null) return null;
    if (count < 0) return this.damaged(start, `a count of ${things} is negative`);
    if (count > this.left) {
      return this.damaged(start, `it announces ${count} ${things}, and only ${this.left} bytes are left`);
    }
    return count;
  }

  /** The next `length` bytes. */
  take(length: number): Uint8Array | null {
    if (this.left < length) return this.#ended(length);
    this.position += length;
    return new Uint8Array(this.#bytes.buffer, this.position - length, length);
  }

  /** The next `length` bytes as characters U+0000 to U+00FF. */
  latin1(length: number): string | null {
    if (this.left < length) return this.#ended(length);
    this.position += length;
    return this.#text.toString('latin1', this.position - length, this.position);
  }

  #ended(wanted: number): null {
    return this.damaged(
      this.position,
      `the data ends where ${wanted} more byte${wanted === 1 ? ' is' : 's are'} needed`,
    );
  }
}
