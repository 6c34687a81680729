import type {Cursor} from './cursor.js';
import {asInt, readDigits, textToBits} from './numbers.js';
import type {PyObject, PyStr} from './objects.js';
import {decodeUtf8} from './utf8.js';

/** How to read the content of a type code without inner objects. */
export interface Scalar {
  /** Returns `null` when the data is unusable; the reason is then in the cursor. */
  readonly read: (cursor: Cursor) => PyObject | null;
  /** Whether FLAG_REF gives it a reference number; for singletons the flag has no effect. */
  readonly numbered: boolean;
}

const NONE: PyObject = {type: 'None'};
const FALSE: PyObject = {type: 'bool', value: false};
const TRUE: PyObject = {type: 'bool', value: true};
const ELLIPSIS: PyObject = {type: 'Ellipsis'};
const STOP_ITERATION: PyObject = {type: 'StopIteration'};
const EMPTY_STR: PyStr = {type: 'str', value: ''};
const EMPTY_BYTES: PyObject = {type: 'bytes', value: new Uint8Array(0)};

/**
 * All type codes without inner objects, by the byte that stands for them (Python/marshal.c, `r_object`; the same in 3.10
 * to 3.15). Whether a string was interned (`t`, `A`, `Z`) is up to the writer, and not part of the value.
 */
export const SCALARS: readonly (Scalar | undefined)[] = byTypeCode({
  N: single(NONE),
  F: single(FALSE),
  T: single(TRUE),
  S: single(STOP_ITERATION),
  '.': single(ELLIPSIS),
  i: numbered((cursor) => asInt(cursor.int32())),
  I: numbered((cursor) => asInt(cursor.int64())),
  l: numbered((cursor) => asInt(readDigits(cursor))),
  f: numbered((cursor) => float(textToBits(cursor))),
  g: numbered((cursor) => float(cursor.bits64())),
  x: numbered((cursor) => complex(textToBits(cursor), () => textToBits(cursor))),
  y: numbered((cursor) => complex(cursor.bits64(), () => cursor.bits64())),
  s: numbered(bytes),
  t: numbered(unicode),
  u: numbered(unicode),
  a: numbered((cursor) => ascii(cursor, cursor.count('characters'))),
  A: numbered((cursor) => ascii(cursor, cursor.count('characters'))),
  z: numbered((cursor) => ascii(cursor, cursor.byte())),
  Z: numbered((cursor) => ascii(cursor, cursor.byte())),
});

function single(object: PyObject): Scalar {
  return {read: () => object, numbered: false};
}

function numbered(read: Scalar['read']): Scalar {
  return {read, numbered: true};
}

function byTypeCode(scalars: Readonly<Record<string, Scalar>>): readonly (Scalar | undefined)[] {
  const table = new Array<Scalar | undefined>(128).fill(undefined);
  for (const [code, scalar] of Object.entries(scalars)) table[code.charCodeAt(0)] = scalar;
  return table;
}

function float(bits: bigint | null): PyObject | null {
  return bits === null ? null : {type: 'float', bits};
}

function complex(realBits: bigint | null, imag: () => bigint | null): PyObject | null {
  const imagBits = realBits === null ? null : imag();
  return realBits === null || imagBits === null ? null : {type: 'complex', realBits, imagBits};
}

function bytes(cursor: Cursor): PyObject | null {
  const length = cursor.count('bytes');
  if (length === 0) return EMPTY_BYTES;
  const value = length === null ? null : cursor.take(length);
  return value === null ? null : {type: 'bytes', value};
}

/** Called ASCII, but CPython's reader takes every byte as one character, so U+0080 to U+00FF come through. */
function ascii(cursor: Cursor, length: number | null): PyStr | null {
  if (length === 0) return EMPTY_STR;
  const value = length === null ? null : cursor.latin1(length);
  return value === null ? null : {type: 'str', value};
}

function unicode(cursor: Cursor): PyStr | null {
  const length = cursor.count('bytes');
  if (length === 0) return EMPTY_STR;
  const encoded = length === null ? null : cursor.take(length);
  if (encoded === null) return null;
  const text = decodeUtf8(encoded);
  if ('type' in text) return text;
  return cursor.damaged(cursor.position - encoded.length + text.badAt, 'this text is not UTF-8');
}
