import {createHash, hash, type Hash} from 'node:crypto';

/** Content up to this length is its own key; longer content is hashed. */
const PLAIN_LENGTH = 96;
/** The buffer size before hashing, far below V8's limit for strings. */
const CHUNK_LENGTH = 1 << 16;

/** Short content itself, or else its sha256. The character after the tag distinguishes the two. */
export function keyOf(tag: string, content: string): string {
  return content.length <= PLAIN_LENGTH ? `${tag}:${content}` : `${tag}#${hash('sha256', content, 'base64')}`;
}

/** As `keyOf`, for bytes. */
export function keyOfBytes(tag: string, content: Uint8Array): string {
  return content.length <= PLAIN_LENGTH
    ? `${tag}:${Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1')}`
    : `${tag}#${hash('sha256', content, 'base64')}`;
}

/** Whether a key is the hash of longer content. */
export function isHashed(key: string): boolean {
  return key.startsWith('#', 1);
}

/** A list of keys that becomes a key itself, in bounded memory. */
export class Content {
  #text = '';
  #hash: Hash | undefined;

  add(key: string): this {
    // The length prefix makes the list unambiguous.
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
