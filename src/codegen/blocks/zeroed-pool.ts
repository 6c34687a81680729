/** Bytes of a chunk. */
const CHUNK = 1 << 15;

/** Zeroed bytes for the thousands of small blocks of an image, cut out of large pieces: each piece costs as much as a block of its own would. */
export class ZeroedPool {
  #chunk = Buffer.alloc(0);

  take(length: number): Buffer {
    if (length > CHUNK) return Buffer.alloc(length);
    if (length > this.#chunk.length) this.#chunk = Buffer.alloc(CHUNK);
    const bytes = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    return bytes;
  }
}
