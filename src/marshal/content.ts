import {createHash, hash, type Hash} from 'node:crypto';

/** Contents up to this length are the key itself; longer ones are hashed. */
const PLAIN_LENGTH = 96;
/** How much is gathered before it goes into the hash, far below the longest string that V8 can make. */
const CHUNK_LENGTH = 1 << 16;

/** Short content as it is; else its sha256. The mark after the tag, one character, keeps the two apart. */
export function keyOf(tag: string, content: string): string {
  return content.length <= PLAIN_LENGTH ? `${tag}:${content}` : `${tag}#${hash('sha256', content, 'base64')}`;
}

/** As `keyOf`, for bytes. */
export function keyOfBytes(tag: string, content: Uint8Array): string {
  return content.length <= PLAIN_LENGTH
    ? `${tag}:${Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1')}`
    : `${tag}#${hash('sha256', content, 'base64')}`;
}

/** Whether a key is a hash, of what may be much longer than the key. */
export function isHashed(key: string): boolean {
  return key.startsWith('#', 1);
}

/** A list of keys that becomes a key itself, in bounded memory. */
export class Content {
  #text = '';
  #hash: Hash | undefined;

  add(key: string): this {
    // The length in front makes the list readable in one way only.
    this.#text += `${key.length}:${key}`;
    if (this.#text.length > CHUNK_LENGTH) {
      this.#hash = (this.#hash ?? createHash('sha256')).update(this.#text);
      this.#text = '';
    }
    return this;
  }

  key(tag: string): string {
    if (this.#hash === undefined) return keyOf(tag, this.#text);
    return `${tag}#${this.#hash.update(this.#text).digest('base64')}`;
  }
}
