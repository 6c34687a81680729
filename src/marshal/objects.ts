/**
 * The canonical object graph that marshal bytes are read into.
 *
 * Canonical means: two streams of equal Python values give equal graphs, whatever references (FLAG_REF),
 * short forms or interning marks the writer chose. A shared object may appear as one JavaScript object or as several
 * equal ones; nothing may depend on which.
 */
export type PyObject =
  | PyNone
  | PyBool
  | PyEllipsis
  | PyStopIteration
  | PyInt
  | PyFloat
  | PyComplex
  | PyStr
  | PyBytes
  | PyTuple
  | PyFrozenSet
  | PySet
  | PyList
  | PyDict
  | PyFrozenDict
  | PySlice
  | PyCode;

export interface PyNone {
  readonly type: 'None';
}
export interface PyBool {
  readonly type: 'bool';
  readonly value: boolean;
}
export interface PyEllipsis {
  readonly type: 'Ellipsis';
}
/** The class `StopIteration` itself, which has a type code in marshal. */
export interface PyStopIteration {
  readonly type: 'StopIteration';
}
export interface PyInt {
  readonly type: 'int';
  readonly value: bigint;
}
export interface PyFloat {
  readonly type: 'float';
  /** The IEEE 754 binary64 bits, so that nan payloads and -0.0 survive. */
  readonly bits: bigint;
}
export interface PyComplex {
  readonly type: 'complex';
  readonly realBits: bigint;
  readonly imagBits: bigint;
}
export interface PyStr {
  readonly type: 'str';
  /**
   * The text as UTF-16, with lone surrogates kept. (A pair of surrogate *code points*, which Python keeps apart from
   * the astral character they would encode, cannot be distinguished from it in UTF-16, so text that holds surrogate code points
   * is in `codePoints` as well, and that is what counts.)
   */
  readonly value: string;
  /** Only for text with surrogate code points (U+D800 to U+DFFF). */
  readonly codePoints?: readonly number[];
}
export interface PyBytes {
  readonly type: 'bytes';
  readonly value: Uint8Array;
}
export interface PyTuple {
  readonly type: 'tuple';
  readonly items: readonly PyObject[];
}
/** Items in canonical order (by their canonical key, `key.ts`), without duplicates. */
export interface PyFrozenSet {
  readonly type: 'frozenset';
  readonly items: readonly PyObject[];
}
/** As `PyFrozenSet`. Never in a code object. */
export interface PySet {
  readonly type: 'set';
  readonly items: readonly PyObject[];
}
export interface PyList {
  readonly type: 'list';
  readonly items: readonly PyObject[];
}
/** Entries in insertion order, as written. */
export interface PyDict {
  readonly type: 'dict';
  readonly entries: readonly (readonly [PyObject, PyObject])[];
}
export interface PyFrozenDict {
  readonly type: 'frozendict';
  readonly entries: readonly (readonly [PyObject, PyObject])[];
}
export interface PySlice {
  readonly type: 'slice';
  readonly start: PyObject;
  readonly stop: PyObject;
  readonly step: PyObject;
}

/** The fields that every version has. Numbers are C ints. */
interface PyCodeCommon {
  readonly type: 'code';
  readonly argcount: number;
  readonly posonlyargcount: number;
  readonly kwonlyargcount: number;
  readonly stacksize: number;
  readonly flags: number;
  readonly code: Uint8Array;
  readonly consts: readonly PyObject[];
  readonly names: readonly PyStr[];
  readonly filename: PyStr;
  readonly name: PyStr;
  readonly firstlineno: number;
  readonly linetable: Uint8Array;
}
/** CPython 3.10 (Python/marshal.c, TYPE_CODE). */
export interface PyCode310 extends PyCodeCommon {
  readonly form: '3.10';
  readonly nlocals: number;
  readonly varnames: readonly PyStr[];
  readonly freevars: readonly PyStr[];
  readonly cellvars: readonly PyStr[];
}
/** CPython 3.11 and later (Python/marshal.c, TYPE_CODE). */
export interface PyCode311 extends PyCodeCommon {
  readonly form: '3.11';
  readonly localsplusnames: readonly PyStr[];
  readonly localspluskinds: Uint8Array;
  readonly qualname: PyStr;
  readonly exceptiontable: Uint8Array;
}
export type PyCode = PyCode310 | PyCode311;
