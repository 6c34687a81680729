import type {PyInt, PyStr} from '../marshal/objects.js';
import {cArray, cAsciiString, cString, mangle} from './c-text.js';
import type {Layout} from './layout.js';
import {codePointsOf, storageOf} from './text.js';
import type {WellKnownStrings} from './well-known.js';

/** A static object: how other objects refer to it, and the declaration it needs (none when it is the interpreter's). */
export interface Emitted {
  /** C expression of type `PyObject *`. */
  readonly reference: string;
  readonly declaration?: string;
}

const DIGIT_BITS = 30n;

/** Text that is likely to occur in several modules: names. The linker keeps one of them. */
const SHARED = /^\.?[A-Za-z0-9_]{1,80}$/;

/** A str: the interpreter's own, one shared between modules, or (with the given variable name) the module's. */
export function emitStr(text: PyStr, variable: string, wellKnown: WellKnownStrings): Emitted {
  const codePoints = codePointsOf(text);
  const [first] = codePoints;
  if (first === undefined) return {reference: 'FF_EMPTY_STR'};
  if (codePoints.length === 1 && first < 0x100) {
    return {reference: `FF_${first < 0x80 ? 'ASCII' : 'LATIN1'}_CHAR(${first})`};
  }
  const known = wellKnown.get(text.value);
  if (known !== undefined) return {reference: known};

  const length = codePoints.length;
  const storage = storageOf(codePoints);
  if (storage === 'ascii') {
    const shared = SHARED.test(text.value);
    const name = shared ? `ff_s_${mangle(text.value)}` : variable;
    const place = shared ? `FF_SHARED(${name})` : 'static FF_IN_TEXT';
    return {
      reference: `(PyObject *)&${name}`,
      declaration: `${place} FF_ASCII_TYPE(${length}) ${name} = FF_ASCII(${length}, ${cAsciiString(text.value)});`,
    };
  }
  const unit = `Py_UCS${storage}`;
  const data = storage === 1 ? cString(Uint8Array.from(codePoints)) : cArray(codePoints);
  return {
    reference: `(PyObject *)&${variable}`,
    declaration: `static FF_IN_TEXT FF_TEXT_TYPE(${length}, ${unit}) ${variable} = FF_TEXT(${variable}, ${length}, ${storage}, ${data});`,
  };
}

/** Bytes: the interpreter's own when there are none or one. */
export function emitBytes(value: Uint8Array, variable: string): Emitted {
  if (value.length === 0) return {reference: 'FF_EMPTY_BYTES'};
  if (value.length === 1) return {reference: `FF_BYTES_CHAR(${value[0] ?? 0})`};
  return {
    reference: `(PyObject *)&${variable}`,
    declaration: `static FF_IN_DATA FF_BYTES_TYPE(${value.length}) ${variable} = FF_BYTES(${value.length}, ${cString(value)});`,
  };
}

/** An int: the interpreter's own when it is small, else sign and digits to the base 2**30. */
export function emitInt({value}: PyInt, variable: string, layout: Layout): Emitted {
  const [min, max] = layout.smallInts;
  if (value >= BigInt(min) && value <= BigInt(max)) return {reference: `FF_SMALL_INT(${value})`};
  const digits: string[] = [];
  const mask = (1n << DIGIT_BITS) - 1n;
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= DIGIT_BITS) digits.push(`${rest & mask}u`);
  return {
    reference: `(PyObject *)&${variable}`,
    declaration: `static FF_IN_DATA FF_INT_TYPE(${digits.length}) ${variable} = FF_INT(${value < 0n ? -1 : 1}, ${digits.length}, ${cArray(digits)});`,
  };
}

function hex64(bits: bigint): string {
  return `0x${bits.toString(16)}u`;
}

/** A float, bit for bit. */
export function emitFloat(bits: bigint, variable: string): Emitted {
  return {
    reference: `(PyObject *)&${variable}`,
    declaration: `static FF_IN_DATA FF_FLOAT_TYPE ${variable} = FF_FLOAT(${hex64(bits)});`,
  };
}

/** A complex number, bit for bit. */
export function emitComplex(realBits: bigint, imagBits: bigint, variable: string): Emitted {
  return {
    reference: `(PyObject *)&${variable}`,
    declaration: `static FF_IN_DATA FF_COMPLEX_TYPE ${variable} = FF_COMPLEX(${hex64(realBits)}, ${hex64(imagBits)});`,
  };
}
