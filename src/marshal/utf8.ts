import {isAscii, isUtf8} from 'node:buffer';

import type {PyStr} from './objects.js';

/** The smallest code point that a sequence of so many bytes may encode. */
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000];
/** The number of code points per call of `String.fromCodePoint`. */
const CHUNK = 4096;

export interface BadText {
  /** Offset, within the text, of the sequence that is not UTF-8. */
  readonly badAt: number;
}

/**
 * Decodes UTF-8 the way marshal writes and reads it: strictly, but with Python's `surrogatepass`, so that surrogate
 * code points may stand alone or in pairs, three bytes each (Python/marshal.c, TYPE_UNICODE, 3.10 to 3.15).
 */
export function decodeUtf8(bytes: Uint8Array): PyStr | BadText {
  if (isAscii(bytes)) return {type: 'str', value: asBuffer(bytes).toString('latin1')};
  if (isUtf8(bytes)) return {type: 'str', value: asBuffer(bytes).toString('utf8')};
  const codePoints: number[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const lead = bytes[offset] ?? 0;
    const length = sequenceLength(lead);
    let codePoint = length === 1 ? lead : lead & (0x7f >> length);
    for (let next = 1; next < length; next++) {
      const byte = bytes[offset + next] ?? 0;
      if ((byte & 0xc0) !== 0x80) return {badAt: offset};
      codePoint = (codePoint << 6) | (byte & 0x3f);
    }
    if (length === 0 || codePoint < (SMALLEST[length] ?? 0) || codePoint > 0x10ffff) return {badAt: offset};
    codePoints.push(codePoint);
    offset += length;
  }
  return {type: 'str', value: textOf(codePoints), codePoints};
}

/** The length of the sequence that begins with this byte; 0 for an invalid byte. */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc0) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf8 ? 4 : 0;
}

function textOf(codePoints: readonly number[]): string {
  let text = '';
  for (let start = 0; start < codePoints.length; start += CHUNK) {
    text += String.fromCodePoint(...codePoints.slice(start, start + CHUNK));
  }
  return text;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
