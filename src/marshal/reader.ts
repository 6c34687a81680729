import {err, fail, ok, type Result} from '../model/result.js';
import {codeExtent, type CodeForm} from './code.js';
import {addToFrame, closeFrame, openFrame, type Frame} from './containers.js';
import {Cursor} from './cursor.js';
import type {PyObject} from './objects.js';
import {SCALARS} from './scalars.js';

export interface ReadLimits {
  /** The maximum size of a stream in bytes; default 8 MiB, at most 64 MiB. */
  readonly bytes?: number;
  /**
   * The maximum nesting depth of objects, including references; default 2000, as CPython's MAX_MARSHAL_STACK_DEPTH
   * (which does not follow references, so that objects there can be deeper than their streams).
   */
  readonly depth?: number;
}

export interface ReadOptions {
  /** The form of code objects, which the stream itself does not contain. */
  readonly codeForm: CodeForm;
  readonly limits?: ReadLimits;
}

const DEFAULT_BYTES = 8 * 2 ** 20;
/** Up to this size, no int or string exceeds the limits of V8. */
export const MOST_BYTES = 64 * 2 ** 20;
/** Up to this number, no Map does, and all objects fit into the memory that Node.js gives itself by default: each takes up to 700 bytes. */
export const MOST_OBJECTS = 5_000_000;
const DEFAULT_DEPTH = 2000;
/**
 * All code objects together may have fields of so many bytes and objects for each byte of the stream. What compilers
 * write stays below one; without a limit, a long tuple of names shared by many code objects takes quadratic time from
 * everyone who walks over them.
 */
const MOST_EXTENT_PER_BYTE = 16;

/** Set in a type code: the object gets the next reference number. */
const FLAG_REF = 0x80;
const TYPE_NULL = 0x30;
const TYPE_REF = 0x72;

/** The result of one read step: an object, a NULL, or a container that needs more objects; `null` is a failure. */
type Step = PyObject | 'NULL' | 'more' | null;

/**
 * Reads the one object that `bytes` hold, in any version of marshal from 0 to 6, as CPython 3.10 to 3.15 read it.
 * Nothing in the result aliases `bytes`, and no path through it is longer than the depth limit, so that one may recurse
 * over it. But sharing can make a walk exponentially long unless it records what it has seen (`canonicalKey` does).
 *
 * Fails with MARSHAL, naming the byte, on what CPython's reader rejects, and also on: bytes after the object,
 * references to objects that are not complete (lists and dicts inside themselves), a dict that ends between key and
 * value, fields shared by code objects beyond all proportion, bytecode of odd length (which 3.10 lets through), and
 * what goes beyond the limits. Members of sets and keys of dicts are not checked to be hashable.
 */
export function readMarshal(bytes: Uint8Array, options: ReadOptions): Result<PyObject> {
  const most = Math.min(options.limits?.bytes ?? DEFAULT_BYTES, MOST_BYTES);
  if (bytes.length > most) {
    return fail('MARSHAL', `the marshal data exceeds the limit at byte ${most}`);
  }
  return new Reader(bytes, options.codeForm, options.limits?.depth ?? DEFAULT_DEPTH).read();
}

/** Keeps an explicit stack, so that deep data does not overflow the call stack. */
class Reader {
  readonly #cursor: Cursor;
  readonly #frames: Frame[] = [];
  /** The objects that have a reference number; `null` while incomplete. */
  readonly #references: (PyObject | null)[] = [];
  /** The nesting depth of each of them. */
  readonly #heights: number[] = [];
  /** The same for the object read last. */
  #height = 0;
  #objects = 0;
  /** The remaining budget for the fields of code objects. */
  #extent: number;

  constructor(
    bytes: Uint8Array,
    private readonly form: CodeForm,
    private readonly depth: number,
  ) {
    this.#cursor = new Cursor(bytes);
    this.#extent = bytes.length * MOST_EXTENT_PER_BYTE;
  }

  read(): Result<PyObject> {
    for (;;) {
      const start = this.#cursor.position;
      let step = this.#next(start);
      while (step !== 'more') {
        if (step === null) return this.#failed();
        const frame = this.#frames.at(-1);
        if (frame === undefined) return this.#finish(step, start);
        step = this.#add(frame, step, start);
      }
    }
  }

  /** Reads one object without inner objects, or the beginning of a container. */
  #next(start: number): Step {
    const byte = this.#cursor.byte();
    if (byte === null) return null;
    const flagged = (byte & FLAG_REF) !== 0;
    const typeCode = byte & ~FLAG_REF;
    if (this.#frames.length >= this.depth) return this.#tooDeep(start);
    if (++this.#objects > MOST_OBJECTS) {
      return this.#cursor.damaged(start, `there are more than ${MOST_OBJECTS} objects`);
    }
    const scalar = SCALARS[typeCode];
    if (scalar !== undefined) {
      const object = scalar.read(this.#cursor);
      this.#height = 1;
      if (flagged && scalar.numbered) this.#fill(this.#reserve(), object);
      return object;
    }
    if (typeCode === TYPE_NULL) return 'NULL';
    if (typeCode === TYPE_REF) return this.#reference(start);
    const frame = openFrame(typeCode, start, this.#cursor, this.form);
    if (frame === null) return null;
    // Containers get their reference number before their objects.
    if (flagged) frame.reference = this.#reserve();
    if (frame.left === 0) return this.#close(frame);
    this.#frames.push(frame);
    return 'more';
  }

  #add(frame: Frame, object: PyObject | 'NULL', start: number): Step {
    const complete = addToFrame(frame, object, start, this.#cursor);
    if (object !== 'NULL') frame.height = Math.max(frame.height, this.#height);
    if (complete === null) return null;
    if (!complete) return 'more';
    this.#frames.pop();
    return this.#close(frame);
  }

  #close(frame: Frame): PyObject | null {
    const object = closeFrame(frame, this.#cursor, this.form);
    this.#height = frame.height + 1;
    if (object?.type === 'code' && (this.#extent -= codeExtent(object)) < 0) {
      return this.#cursor.damaged(frame.start, 'code objects share their fields out of all proportion');
    }
    if (frame.reference !== undefined) this.#fill(frame.reference, object);
    return object;
  }

  #reserve(): number {
    return this.#references.push(null) - 1;
  }

  #fill(reference: number, object: PyObject | null): void {
    this.#references[reference] = object;
    this.#heights[reference] = this.#height;
  }

  #reference(start: number): PyObject | null {
    const number = this.#cursor.int32();
    if (number === null) return null;
    const object = this.#references[number];
    if (object === undefined)
      return this.#cursor.damaged(start, `there is no object number ${number} to refer to`);
    if (object === null) return this.#cursor.damaged(start, `object number ${number} contains itself`);
    this.#height = this.#heights[number] ?? 1;
    return this.#frames.length + this.#height > this.depth ? this.#tooDeep(start) : object;
  }

  #finish(object: PyObject | 'NULL', start: number): Result<PyObject> {
    const {position, left} = this.#cursor;
    if (object === 'NULL') this.#cursor.damaged(start, 'there is a NULL in place of an object');
    else if (left > 0) this.#cursor.damaged(position, `there are ${left} bytes after the end of the object`);
    else return ok(object);
    return this.#failed();
  }

  #failed(): Result<PyObject> {
    const {failure} = this.#cursor;
    return failure === undefined ? fail('MARSHAL', 'cannot read the marshal data') : err(failure);
  }

  #tooDeep(start: number): null {
    return this.#cursor.damaged(start, `objects are nested more than ${this.depth} deep`);
  }
}
