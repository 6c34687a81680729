import {assembleCode, CODE_SHAPES, OBJECTS_BEFORE_FIRSTLINENO, type CodeForm} from './code.js';
import type {Cursor} from './cursor.js';
import {canonicalItems} from './key.js';
import type {PyObject} from './objects.js';

type Container = 'tuple' | 'list' | 'set' | 'frozenset' | 'dict' | 'frozendict' | 'slice' | 'code';

/** A container whose objects are still being read. */
export interface Frame {
  readonly container: Container;
  /** Offset of its type code. */
  readonly start: number;
  /** The objects read so far: members, alternating keys and values, or fields. */
  readonly items: PyObject[];
  /** The number of objects still to be read. */
  left: number;
  /** The numbers of a code object. */
  readonly numbers: number[];
  /** Its reference number, if it has one. */
  reference: number | undefined;
  /** The nesting depth of its deepest item. */
  height: number;
}

/** The kind of a container, and the number of its objects. */
interface Opening {
  readonly container: Container;
  readonly count: (cursor: Cursor, form: CodeForm) => number | null;
}

const SLICE_OBJECTS = 3;
const counted: Opening['count'] = (cursor) => cursor.count('objects');
const untilNull: Opening['count'] = () => Infinity;

/** By type code (Python/marshal.c, `r_object`; slices since 3.14, frozendicts since 3.15). */
const OPENINGS = new Map<number, Opening>(
  Object.entries<Opening>({
    '(': {container: 'tuple', count: counted},
    ')': {container: 'tuple', count: (cursor) => cursor.byte()},
    '[': {container: 'list', count: counted},
    '<': {container: 'set', count: counted},
    '>': {container: 'frozenset', count: counted},
    '{': {container: 'dict', count: untilNull},
    '}': {container: 'frozendict', count: untilNull},
    ':': {container: 'slice', count: () => SLICE_OBJECTS},
    c: {container: 'code', count: (_, form) => CODE_SHAPES[form].objects},
  }).map(([character, opening]) => [character.charCodeAt(0), opening]),
);

/**
 * Reads what precedes the objects of a container. Returns `null` when the data is unusable; the reason is then in
 * the cursor.
 */
export function openFrame(typeCode: number, start: number, cursor: Cursor, form: CodeForm): Frame | null {
  const opening = OPENINGS.get(typeCode);
  if (opening === undefined) {
    return cursor.damaged(start, `${JSON.stringify(String.fromCharCode(typeCode))} is not a type code`);
  }
  const {container, count} = opening;
  const numbers: number[] = [];
  if (container === 'code' && !readNumbers(cursor, CODE_SHAPES[form].numbers, numbers)) return null;
  const left = count(cursor, form);
  if (left === null) return null;
  return {container, start, items: [], left, numbers, reference: undefined, height: 0};
}

/** Puts one object (or the NULL that ends a dict) into a container. Returns whether the container is complete with it. */
export function addToFrame(
  frame: Frame,
  object: PyObject | 'NULL',
  offset: number,
  cursor: Cursor,
): boolean | null {
  if (object === 'NULL') {
    if (frame.left === Infinity && frame.items.length % 2 === 0) return true;
    return cursor.damaged(offset, `a NULL stands where a ${frame.container} needs an object`);
  }
  frame.items.push(object);
  frame.left--;
  if (frame.container === 'code' && frame.items.length === OBJECTS_BEFORE_FIRSTLINENO) {
    if (!readNumbers(cursor, 1, frame.numbers)) return null;
  }
  return frame.left === 0;
}

/** Makes the object of a container that is complete. */
export function closeFrame(frame: Frame, cursor: Cursor, form: CodeForm): PyObject | null {
  const {container, items} = frame;
  switch (container) {
    case 'tuple':
    case 'list':
      return {type: container, items};
    case 'set':
    case 'frozenset':
      return {type: container, items: canonicalItems(items)};
    case 'dict':
    case 'frozendict':
      return {type: container, entries: pairs(items)};
    case 'slice': {
      const [start, stop, step] = items;
      if (start === undefined || stop === undefined || step === undefined) return null;
      return {type: 'slice', start, stop, step};
    }
    case 'code': {
      const code = assembleCode(form, frame.numbers, items);
      return typeof code === 'string' ? cursor.damaged(frame.start, code) : code;
    }
  }
}

function readNumbers(cursor: Cursor, count: number, into: number[]): boolean {
  for (let index = 0; index < count; index++) {
    const number = cursor.int32();
    if (number === null) return false;
    into.push(number);
  }
  return true;
}

function pairs(items: readonly PyObject[]): (readonly [PyObject, PyObject])[] {
  const entries: (readonly [PyObject, PyObject])[] = [];
  let key: PyObject | undefined;
  for (const item of items) {
    if (key === undefined) key = item;
    else {
      entries.push([key, item]);
      key = undefined;
    }
  }
  return entries;
}
