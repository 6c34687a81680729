import type {PyInt, PyStr} from '../../marshal/objects.js';
import type {Place} from '../blocks/block.js';
import type {BlockRequest} from '../blocks/block-list.js';
import {mangle} from '../c-text.js';
import type {Layout} from '../layout.js';
import type {BuiltConstant} from './slots.js';
import {codePointsOf, unitSizeOf} from './str-storage.js';

/**
 * A constant: an object of the interpreter (by its name in the probe, `ownObjects`), one that the interpreter makes at run time, or one
 * of the image.
 */
export type Emitted = {readonly own: string} | {readonly built: BuiltConstant} | BlockRequest;

const DIGIT_BITS = 30;
const DIGIT_MASK = 2 ** DIGIT_BITS - 1;

const ASCII = /^[\0-\x7f]*$/;

/** Bytes among the constants that are longer are mostly tables of a module, of which a use reads a part. */
const LONG_BYTES = 256;

/** Text that is likely to occur in several modules: names. The linker keeps one of them. */
const SHARED = /^\.?[A-Za-z0-9_]{1,80}$/;

/** Who may have the same str object: this code alone, or whoever has the same interned text. */
export interface Sharing {
  /** Whether the interpreter has a static str of this text. */
  readonly isWellKnown: (text: string) => boolean;
  /** Whether there is room for one more that the linker compares between modules. */
  readonly hasRoom: () => boolean;
}

/**
 * A str: the interpreter's own, one shared between modules, or the module's.
 * @param sharing given for text that is interned: no other text may be the same object as in another module
 */
export function emitStr(text: PyStr, layout: Layout, sharing?: Sharing): Emitted {
  if (text.codePoints === undefined && ASCII.test(text.value)) return emitAscii(text.value, layout, sharing);
  const codePoints = codePointsOf(text);
  const {length} = codePoints;
  const [first = 0] = codePoints;
  const size = unitSizeOf(codePoints);
  if (length === 1 && size === 1) return own(layout, `char ${first}`, {kind: 'STR', value: first});
  if (sharing?.isWellKnown(text.value) === true) return {own: `text ${text.value}`};
  const tail = Buffer.alloc((length + 1) * size);
  codePoints.forEach((codePoint, i) => tail.writeUIntLE(codePoint, i * size, size));
  const template = `text${size}` as const;
  return {letter: 's', kind: 'str', place: ownPlace(sharing), template, arguments: {length}, tail};
}

/** Where text lies that is the module's own. */
function ownPlace(sharing: Sharing | undefined): Place {
  return sharing === undefined ? 'text' : 'name';
}

function emitAscii(value: string, layout: Layout, sharing: Sharing | undefined): Emitted {
  const {length} = value;
  if (length === 0) return own(layout, 'str', {kind: 'STR', value: -1});
  const first = value.charCodeAt(0);
  if (length === 1) return own(layout, `char ${first}`, {kind: 'STR', value: first});
  // One-character identifiers come after the characters: the interpreter has both, and interns these.
  if (sharing?.isWellKnown(value) === true) return {own: `text ${value}`};
  const isShared = sharing !== undefined && SHARED.test(value) && sharing.hasRoom();
  return {
    ...{letter: 's', kind: 'str', template: 'ascii', arguments: {length}},
    place: isShared ? 'shared' : ownPlace(sharing),
    tail: Buffer.from(`${value}\0`, 'latin1'),
    ...(isShared ? {name: `ff_s_${mangle(value)}`} : {}),
  };
}

/**
 * Bytes: the interpreter's own when there are none. It has those of one byte, too; whether the constants of a module are these depends on
 * what marshal makes (Python/marshal.c, r_object(), TYPE_STRING): up to 3.13 new ones.
 */
export function emitBytes(bytes: Uint8Array, layout: Layout): Emitted {
  const [first] = bytes;
  if (first === undefined) return own(layout, 'bytes', {kind: 'BYTES'});
  if (bytes.length === 1 && layout.sharesOneByte) return {own: `byte ${first}`};
  return staticBytes(bytes, bytes.length > LONG_BYTES ? 'data' : 'value');
}

/** Bytes that only the interpreter reads: its own where it has them as a static object, never built at run time. */
export function emitTable(bytes: Uint8Array, layout: Layout): Emitted {
  const [first] = bytes;
  if (!layout.staticSingletons || bytes.length > 1) return staticBytes(bytes, 'data');
  return {own: first === undefined ? 'bytes' : `byte ${first}`};
}

function staticBytes(bytes: Uint8Array, place: Place): BlockRequest {
  const {length: size} = bytes;
  return {
    ...{letter: 'b', kind: 'bytes', place, template: 'bytes', arguments: {size}},
    ...{tail: bytes, capacity: size + 1},
  };
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
export function emitInt({value}: PyInt, layout: Layout): Emitted {
  const [min, max] = layout.smallInts;
  if (value >= BigInt(min) && value <= BigInt(max))
    return own(layout, `int ${value}`, {kind: 'INT', value: Number(value)});
  const digits = digitsOf(value < 0n ? -value : value);
  return {
    ...{letter: 'i', kind: 'int', place: 'value', template: value < 0n ? 'negative' : 'positive'},
    arguments: {digits: digits.length},
    tail: new Uint8Array(Uint32Array.from(digits).buffer),
  };
}

/** A float, bit for bit. */
export function emitFloat(bits: bigint): Emitted {
  return {letter: 'f', kind: 'float', place: 'value', template: 'float', arguments: {bits}};
}

/** A complex number, bit for bit. */
export function emitComplex(real: bigint, imag: bigint): Emitted {
  return {letter: 'z', kind: 'complex', place: 'value', template: 'complex', arguments: {real, imag}};
}

/** The empty tuple. */
export function emitEmptyTuple(layout: Layout): Emitted {
  return own(layout, 'tuple', {kind: 'TUPLE'});
}

/** An object of the interpreter: static, or, in versions without it, looked up at run time. */
function own(layout: Layout, name: string, built: BuiltConstant): Emitted {
  return layout.staticSingletons ? {own: name} : {built};
}
