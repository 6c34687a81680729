import {createHash} from 'node:crypto';

/** A sha256, as 64 lower-case hexadecimal digits. */
export type Digest = string & {readonly __brand: 'Digest'};

const PATTERN = /^[0-9a-f]{64}$/;

/** The sha256 of bytes, or of the UTF-8 form of a string. */
export function digestOf(content: string | Uint8Array): Digest {
  return createHash('sha256').update(content).digest('hex') as Digest;
}

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}
