import type {PyInt, PyStr} from '../../marshal/objects.js';
import type {Declaration} from '../address-model.js';
import {cArray, cAsciiString, cString, mangle} from '../c-text.js';
import type {Layout} from '../layout.js';
import type {BuiltConstant} from './slots.js';
import {codePointsOf, storageOf} from './str-storage.js';
import type {WellKnownStrings} from './well-known.js';

/**
 * A constant: an object of the interpreter at a fixed address, one that the interpreter makes at run time, or one that
 * has to be declared.
 */
export type Emitted =
  {readonly own: string} | {readonly built: BuiltConstant} | {readonly declaration: Declaration};

const DIGIT_BITS = 30;
const DIGIT_MASK = 2 ** DIGIT_BITS - 1;

/** Text that is likely to occur in several modules: names. The linker keeps one of them. */
const SHARED = /^\.?[A-Za-z0-9_]{1,80}$/;

/**
 * A str: the interpreter's own, one shared between modules, or (with the given variable name) the module's.
 * @param wellKnown given for text that is interned: no other text may be the same object as in another module
 */
export function emitStr(
  text: PyStr,
  variable: string,
  layout: Layout,
  wellKnown?: WellKnownStrings,
): Emitted {
  const codePoints = codePointsOf(text);
  const [first] = codePoints;
  if (first === undefined) return own(layout, 'FF_EMPTY_STR', {kind: 'STR', value: -1});
  if (codePoints.length === 1 && first < 0x100) {
    const name = first < 0x80 ? 'FF_ASCII_CHAR' : 'FF_LATIN1_CHAR';
    return own(layout, `${name}(${first})`, {kind: 'STR', value: first});
  }
  const known = wellKnown?.get(text.value);
  if (known !== undefined) return {own: known};

  const length = codePoints.length;
  const storage = storageOf(codePoints);
  if (storage === 'ascii') {
    const shared = wellKnown !== undefined && SHARED.test(text.value);
    const name = shared ? `ff_s_${mangle(text.value)}` : variable;
    return {
      declaration: {
        kind: 'str',
        storage: shared ? `FF_SHARED(${name})` : 'static FF_IN_TEXT',
        type: `FF_ASCII_TYPE(${length})`,
        name,
        value: `FF_ASCII(${length}, ${cAsciiString(text.value)})`,
      },
    };
  }
  const unit = `Py_UCS${storage}`;
  const data = storage === 1 ? cString(Uint8Array.from(codePoints)) : cArray(codePoints);
  return {
    declaration: {
      kind: 'str',
      storage: 'static FF_IN_TEXT',
      type: `FF_TEXT_TYPE(${length}, ${unit})`,
      name: variable,
      value: `FF_TEXT(${variable}, ${length}, ${storage}, ${data})`,
    },
  };
}

/**
 * Bytes: the interpreter's own when there are none. It has those of one byte, too; whether the constants of a module are these depends on
 * what marshal makes (Python/marshal.c, r_object(), TYPE_STRING): up to 3.13 new ones.
 */
export function emitBytes(bytes: Uint8Array, variable: string, layout: Layout): Emitted {
  const [first] = bytes;
  if (first === undefined) return own(layout, 'FF_EMPTY_BYTES', {kind: 'BYTES'});
  if (bytes.length === 1 && layout.sharesOneByte) return {own: `FF_BYTES_CHAR(${first})`};
  return declareBytes(bytes, variable);
}

/** Bytes that only the interpreter reads: its own where it has them as a static object, never built at run time. */
export function emitTable(bytes: Uint8Array, variable: string, layout: Layout): Emitted {
  const [first] = bytes;
  if (!layout.staticSingletons || bytes.length > 1) return declareBytes(bytes, variable);
  return {own: first === undefined ? 'FF_EMPTY_BYTES' : `FF_BYTES_CHAR(${first})`};
}

function declareBytes(bytes: Uint8Array, variable: string): {readonly declaration: Declaration} {
  const {length} = bytes;
  return data('bytes', `FF_BYTES_TYPE(${length})`, variable, `FF_BYTES(${length}, ${cString(bytes)})`);
}

/** The digits to the base 2**30, the lowest first. Takes linear time: shifting the whole number for each of them does not. */
function digitsOf(magnitude: bigint): number[] {
  const hex = magnitude.toString(16);
  const digits: number[] = [];
  let pending = 0;
  let bits = 0;
  for (let end = hex.length; end > 0; end -= 6) {
    // Below 2**53: at most 29 bits are pending, and 24 come in.
    pending += parseInt(hex.slice(Math.max(0, end - 6), end), 16) * 2 ** bits;
    bits += 24;
    if (bits < DIGIT_BITS) continue;
    const low = pending % (DIGIT_MASK + 1);
    digits.push(low);
    pending = (pending - low) / (DIGIT_MASK + 1);
    bits -= DIGIT_BITS;
  }
  if (pending > 0) digits.push(pending);
  while (digits.at(-1) === 0) digits.pop();
  return digits;
}

/** An int: the interpreter's own when it is small, else sign and digits to the base 2**30. */
export function emitInt({value}: PyInt, variable: string, layout: Layout): Emitted {
  const [min, max] = layout.smallInts;
  if (value >= BigInt(min) && value <= BigInt(max)) {
    return own(layout, `FF_SMALL_INT(${value})`, {kind: 'INT', value: Number(value)});
  }
  const digits = digitsOf(value < 0n ? -value : value).map((digit) => `${digit}u`);
  const sign = value < 0n ? -1 : 1;
  const text = `FF_INT(${sign}, ${digits.length}, ${cArray(digits)})`;
  return data('int', `FF_INT_TYPE(${digits.length})`, variable, text);
}

function hex64(bits: bigint): string {
  return `0x${bits.toString(16)}u`;
}

/** A float, bit for bit. */
export function emitFloat(bits: bigint, variable: string): Emitted {
  return data('float', 'FF_FLOAT_TYPE', variable, `FF_FLOAT(${hex64(bits)})`);
}

/** A complex number, bit for bit. */
export function emitComplex(realBits: bigint, imagBits: bigint, variable: string): Emitted {
  return data('complex', 'FF_COMPLEX_TYPE', variable, `FF_COMPLEX(${hex64(realBits)}, ${hex64(imagBits)})`);
}

/** The empty tuple. */
export function emitEmptyTuple(layout: Layout): Emitted {
  return own(layout, 'FF_EMPTY_TUPLE', {kind: 'TUPLE'});
}

/** An object of the interpreter: static, or, in versions without it, looked up at run time. */
function own(layout: Layout, expression: string, built: BuiltConstant): Emitted {
  return layout.staticSingletons ? {own: expression} : {built};
}

function data(
  kind: Declaration['kind'],
  type: string,
  name: string,
  value: string,
): {readonly declaration: Declaration} {
  return {declaration: {kind, storage: 'static FF_IN_DATA', type, name, value}};
}
