import type {Cursor} from './cursor.js';
import type {PyInt} from './objects.js';

/** marshal writes ints beyond 32 bits as 15-bit digits, whatever the size of the interpreter's own digits. */
const DIGIT_BITS = 15;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const SPECIAL = /^([+-]?)(inf(?:inity)?|nan)$/i;
const INFINITY_BITS = 0x7ff0000000000000n;
const NAN_BITS = 0x7ff8000000000000n;
const SIGN_BIT = 1n << 63n;

/** The int with this value; `null` stays `null`. */
export function asInt(value: number | bigint | null): PyInt | null {
  return value === null ? null : {type: 'int', value: BigInt(value)};
}

/**
 * Reads an int of any size: a signed count of digits, whose sign is the int's, then the digits from the lowest up
 * (Python/marshal.c, `r_PyLong`). As there, a digit of more than 15 bits or a highest digit of zero is an error. Takes
 * time in proportion to the number of digits.
 */
export function readDigits(cursor: Cursor): bigint | null {
  const start = cursor.position;
  const signed = cursor.int32();
  if (signed === null) return null;
  const count = Math.abs(signed);
  if (count * 2 > cursor.left) {
    return cursor.damaged(start, `it announces ${count} digits, and only ${cursor.left} bytes are left`);
  }
  const packed = Buffer.alloc(Math.ceil((count * DIGIT_BITS) / 8));
  let pending = 0;
  let pendingBits = 0;
  let end = packed.length;
  for (let index = 0; index < count; index++) {
    const digit = cursor.uint16() ?? 0;
    if (digit >> DIGIT_BITS !== 0)
      return cursor.damaged(cursor.position - 2, 'a digit of an int has more than 15 bits');
    if (digit === 0 && index === count - 1) {
      return cursor.damaged(cursor.position - 2, 'the highest digit of an int is zero');
    }
    pending |= digit << pendingBits;
    for (pendingBits += DIGIT_BITS; pendingBits >= 8; pendingBits -= 8) {
      packed[--end] = pending & 0xff;
      pending >>= 8;
    }
  }
  if (pendingBits > 0) packed[--end] = pending;
  const magnitude = BigInt(`0x0${packed.toString('hex')}`);
  return signed < 0 ? -magnitude : magnitude;
}

/**
 * Reads a float written as text, as versions 0 and 1 of the format do: a byte for the length, then what
 * `PyOS_string_to_double` takes: a decimal number, `inf`, `infinity` or `nan` in any case. The result is the IEEE 754
 * binary64 bits; text out of range is an infinity, as there.
 */
export function textToBits(cursor: Cursor): bigint | null {
  const start = cursor.position;
  const length = cursor.byte();
  const text = length === null ? null : cursor.latin1(length);
  if (text === null) return null;
  const special = SPECIAL.exec(text);
  if (special !== null) {
    const bits = special[2]?.toLowerCase() === 'nan' ? NAN_BITS : INFINITY_BITS;
    return special[1] === '-' ? bits | SIGN_BIT : bits;
  }
  if (!DECIMAL.test(text)) return cursor.damaged(start, 'this text is not a number');
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Number(text));
  return view.getBigUint64(0);
}
