import type {Layout} from '../../codegen/layout.js';

/*
 * The hash of a source file that hash-based bytecode files hold (PEP 552): SipHash of the content, the magic number of bytecode
 * files as the key. Numbers of 64 bits are pairs of 32, because BigInt is a hundred times slower.
 */

/** `_imp.source_hash()` of the Python that a layout is for: 8 bytes, as a little-endian number. */
export function sourceHash(
  content: Uint8Array,
  {magic, sipRounds}: Pick<Layout, 'magic' | 'sipRounds'>,
): bigint {
  // The number is followed by a carriage return and a line feed (Lib/importlib/_bootstrap_external.py).
  return sipHash(content, (magic | (0x0a0d << 16)) >>> 0, sipRounds[0], sipRounds[1]);
}

/**
 * SipHash-c-d with a key of 32 bits.
 * @param perWord c, @param atEnd d
 */
export function sipHash(content: Uint8Array, key: number, perWord: number, atEnd: number): bigint {
  let l0 = 0x70736575 ^ key;
  let h0 = 0x736f6d65;
  let l1 = 0x6e646f6d;
  let h1 = 0x646f7261;
  let l2 = 0x6e657261 ^ key;
  let h2 = 0x6c796765;
  let l3 = 0x79746573;
  let h3 = 0x74656462;

  function rounds(count: number): void {
    for (let i = 0; i < count; i++) {
      // v0 += v1; v1 = v1 <<< 13 ^ v0; v0 = v0 <<< 32
      let sum = (l0 >>> 0) + (l1 >>> 0);
      h0 = (h0 + h1 + (sum > 0xffffffff ? 1 : 0)) | 0;
      l0 = sum | 0;
      let low = (l1 << 13) | (h1 >>> 19);
      h1 = ((h1 << 13) | (l1 >>> 19)) ^ h0;
      l1 = low ^ l0;
      let swap = l0;
      l0 = h0;
      h0 = swap;
      // v2 += v3; v3 = v3 <<< 16 ^ v2
      sum = (l2 >>> 0) + (l3 >>> 0);
      h2 = (h2 + h3 + (sum > 0xffffffff ? 1 : 0)) | 0;
      l2 = sum | 0;
      low = (l3 << 16) | (h3 >>> 16);
      h3 = ((h3 << 16) | (l3 >>> 16)) ^ h2;
      l3 = low ^ l2;
      // v0 += v3; v3 = v3 <<< 21 ^ v0
      sum = (l0 >>> 0) + (l3 >>> 0);
      h0 = (h0 + h3 + (sum > 0xffffffff ? 1 : 0)) | 0;
      l0 = sum | 0;
      low = (l3 << 21) | (h3 >>> 11);
      h3 = ((h3 << 21) | (l3 >>> 11)) ^ h0;
      l3 = low ^ l0;
      // v2 += v1; v1 = v1 <<< 17 ^ v2; v2 = v2 <<< 32
      sum = (l2 >>> 0) + (l1 >>> 0);
      h2 = (h2 + h1 + (sum > 0xffffffff ? 1 : 0)) | 0;
      l2 = sum | 0;
      low = (l1 << 17) | (h1 >>> 15);
      h1 = ((h1 << 17) | (l1 >>> 15)) ^ h2;
      l1 = low ^ l2;
      swap = l2;
      l2 = h2;
      h2 = swap;
    }
  }

  function absorb(low: number, high: number): void {
    l3 ^= low;
    h3 ^= high;
    rounds(perWord);
    l0 ^= low;
    h0 ^= high;
  }

  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const whole = content.length & ~7;
  for (let at = 0; at < whole; at += 8) absorb(view.getInt32(at, true), view.getInt32(at + 4, true));
  // The last word: the bytes that are left, and the length in its highest byte.
  const last = new DataView(new ArrayBuffer(8));
  for (let at = whole; at < content.length; at++) last.setUint8(at - whole, content[at] ?? 0);
  last.setUint8(7, content.length & 0xff);
  absorb(last.getInt32(0, true), last.getInt32(4, true));
  l2 ^= 0xff;
  rounds(atEnd);
  const low = (l0 ^ l1 ^ l2 ^ l3) >>> 0;
  const high = (h0 ^ h1 ^ h2 ^ h3) >>> 0;
  return (BigInt(high) << 32n) | BigInt(low);
}
