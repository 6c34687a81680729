import {Content, isHashed, keyOf, keyOfBytes} from './content.js';
import {holdsNaN} from './nan.js';
import type {PyCode, PyObject} from './objects.js';

/** Keys of strings up to this length are cheaper to compute than to cache. */
const SHORT = 64;
const NOTHING: readonly PyObject[] = [];

/** The cached keys: those with a hash. All others are cheap to compute again. */
const known = new WeakMap<PyObject, string>();
/** The keys of containers within one call: a WeakMap with millions of small ones would slow down the garbage collector. */
type Found = Map<PyObject, string>;

/**
 * The identity of an object as a constant. Two keys are equal exactly when type and exact bits are, all the way down:
 * 1, 1.0 and True differ, as do 0.0 and -0.0, two nans with different payloads, 'a' and b'a', or two code objects of
 * which only `filename` differs. Sets must be in canonical order, without duplicates (`canonicalItems`).
 *
 * A key has at most about a hundred characters (large contents appear as their sha256) and is the same in every process.
 * It takes time in proportion to the number of objects, however often they are shared, and does not recurse.
 */
export function canonicalKey(object: PyObject): string {
  const found: Found = new Map();
  if (innerObjects(object) === NOTHING || known.has(object)) return shallowKey(object, found);
  const pending: PyObject[] = [object];
  for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
    const before = pending.length;
    if (!known.has(top) && !found.has(top)) {
      for (const inner of innerObjects(top)) {
        if (innerObjects(inner) !== NOTHING && !known.has(inner) && !found.has(inner)) pending.push(inner);
      }
      if (pending.length > before) continue;
      shallowKey(top, found);
    }
    pending.pop();
  }
  return shallowKey(object, found);
}

/** Sorts the members of a set into canonical order, and removes duplicates by key: nans are none of each other. */
export function canonicalItems(items: readonly PyObject[]): readonly PyObject[] {
  return items
    .map((item) => ({key: canonicalKey(item), item}))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .filter(({key, item}, index, all) => key !== all[index - 1]?.key || holdsNaN(item))
    .map(({item}) => item);
}

/** The objects inside that may have objects inside themselves; `NOTHING` for an object of a type that has none. */
function innerObjects(object: PyObject): readonly PyObject[] {
  switch (object.type) {
    case 'tuple':
    case 'list':
    case 'set':
    case 'frozenset':
      return object.items;
    case 'dict':
    case 'frozendict':
      return object.entries.flat();
    case 'slice':
      return [object.start, object.stop, object.step];
    case 'code':
      return object.consts;
    case 'None':
    case 'bool':
    case 'Ellipsis':
    case 'StopIteration':
    case 'int':
    case 'float':
    case 'complex':
    case 'str':
    case 'bytes':
      return NOTHING;
  }
}

/** The key of an object, given the keys of its inner objects. */
function shallowKey(object: PyObject, found: Found): string {
  if (object.type === 'str' && object.value.length <= SHORT) return composedKey(object, found);
  const earlier = known.get(object) ?? found.get(object);
  if (earlier !== undefined) return earlier;
  const key = composedKey(object, found);
  if (isHashed(key)) known.set(object, key);
  else if (innerObjects(object) !== NOTHING) found.set(object, key);
  return key;
}

/** The tags are marshal's type codes, with `U` for text that has surrogate code points and `C` for code of 3.10. */
function composedKey(object: PyObject, found: Found): string {
  switch (object.type) {
    case 'None':
      return 'N';
    case 'Ellipsis':
      return '.';
    case 'StopIteration':
      return 'S';
    case 'bool':
      return object.value ? 'T' : 'F';
    case 'int':
      // Base 16 takes linear time, whatever the size.
      return keyOf('i', object.value.toString(16));
    case 'float':
      return `g:${object.bits.toString(16)}`;
    case 'complex':
      return `y:${object.realBits.toString(16)},${object.imagBits.toString(16)}`;
    case 'str':
      return object.codePoints === undefined
        ? keyOf('u', object.value)
        : keyOf('U', object.codePoints.join());
    case 'bytes':
      return keyOfBytes('s', object.value);
    case 'tuple':
      return listKey('(', object.items, found);
    case 'list':
      return listKey('[', object.items, found);
    case 'set':
      return listKey('<', object.items, found);
    case 'frozenset':
      return listKey('>', object.items, found);
    case 'dict':
      return listKey('{', object.entries.flat(), found);
    case 'frozendict':
      return listKey('}', object.entries.flat(), found);
    case 'slice':
      return listKey(':', [object.start, object.stop, object.step], found);
    case 'code':
      return codeKey(object, found);
  }
}

function listKey(tag: string, items: readonly PyObject[], found: Found): string {
  const content = new Content();
  for (const item of items) content.add(shallowKey(item, found));
  return content.key(tag);
}

/** The key covers every field, in the order of the stream. */
function codeKey(code: PyCode, found: Found): string {
  const {argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno} = code;
  const content = new Content();
  content.add([argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno].join());
  content
    .add(keyOfBytes('s', code.code))
    .add(listKey('(', code.consts, found))
    .add(listKey('(', code.names, found));
  content
    .add(shallowKey(code.filename, found))
    .add(shallowKey(code.name, found))
    .add(keyOfBytes('s', code.linetable));
  if (code.form === '3.10') {
    content.add(String(code.nlocals)).add(listKey('(', code.varnames, found));
    content.add(listKey('(', code.freevars, found)).add(listKey('(', code.cellvars, found));
  } else {
    content.add(listKey('(', code.localsplusnames, found)).add(keyOfBytes('s', code.localspluskinds));
    content.add(shallowKey(code.qualname, found)).add(keyOfBytes('s', code.exceptiontable));
  }
  return content.key(code.form === '3.10' ? 'C' : 'c');
}
