import {Content, keyOf, keyOfBytes} from './content.js';
import type {PyCode, PyObject} from './objects.js';

/** Strings up to this length have a key that costs less to make than to remember. */
const SHORT = 64;
const NOTHING: readonly PyObject[] = [];

/** The keys that are worth remembering. */
const known = new WeakMap<PyObject, string>();

/**
 * The identity of an object as a constant. Two keys are equal exactly when type and exact bits are, all the way down:
 * 1, 1.0 and True differ, as do 0.0 and -0.0, two nans with different payloads, 'a' and b'a', or two code objects of
 * which only `filename` differs. Sets are taken to be in canonical order, without duplicates (`canonicalItems`).
 *
 * A key has at most about a hundred characters (large contents appear as their sha256) and is the same in every process.
 * It takes time in proportion to the number of objects, however often they are shared, and no stack for depth.
 */
export function canonicalKey(object: PyObject): string {
  if (innerObjects(object) === NOTHING || known.has(object)) return shallowKey(object);
  const pending: PyObject[] = [object];
  for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
    const before = pending.length;
    if (!known.has(top)) {
      for (const inner of innerObjects(top)) {
        if (innerObjects(inner) !== NOTHING && !known.has(inner)) pending.push(inner);
      }
      if (pending.length > before) continue;
      shallowKey(top);
    }
    pending.pop();
  }
  return shallowKey(object);
}

/** Brings the members of a set into canonical order, and drops all but one of those with the same key. */
export function canonicalItems(items: readonly PyObject[]): readonly PyObject[] {
  return items
    .map((item) => ({key: canonicalKey(item), item}))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .filter(({key}, index, all) => key !== all[index - 1]?.key)
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

/** The key of an object whose inner objects have theirs already. */
function shallowKey(object: PyObject): string {
  if (object.type === 'str' && object.value.length <= SHORT) return composedKey(object);
  let key = known.get(object);
  if (key === undefined) {
    key = composedKey(object);
    // A plain key of an object that holds no others is sooner made than found.
    if (key.startsWith('#', 1) || innerObjects(object) !== NOTHING) known.set(object, key);
  }
  return key;
}

/** The tags are marshal's type codes, with `U` for text that has surrogate code points. */
function composedKey(object: PyObject): string {
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
      return listKey('(', object.items);
    case 'list':
      return listKey('[', object.items);
    case 'set':
      return listKey('<', object.items);
    case 'frozenset':
      return listKey('>', object.items);
    case 'dict':
      return listKey('{', object.entries.flat());
    case 'frozendict':
      return listKey('}', object.entries.flat());
    case 'slice':
      return listKey(':', [object.start, object.stop, object.step]);
    case 'code':
      return codeKey(object);
  }
}

function listKey(tag: string, items: readonly PyObject[]): string {
  const content = new Content();
  for (const item of items) content.add(shallowKey(item));
  return content.key(tag);
}

/** Every field counts, in the order of the stream. */
function codeKey(code: PyCode): string {
  const {argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno} = code;
  const content = new Content();
  content.add([argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno].join());
  content.add(keyOfBytes('s', code.code)).add(listKey('(', code.consts)).add(listKey('(', code.names));
  content.add(shallowKey(code.filename)).add(shallowKey(code.name)).add(keyOfBytes('s', code.linetable));
  if (code.form === '3.10') {
    content.add(String(code.nlocals)).add(listKey('(', code.varnames));
    content.add(listKey('(', code.freevars)).add(listKey('(', code.cellvars));
  } else {
    content.add(listKey('(', code.localsplusnames)).add(keyOfBytes('s', code.localspluskinds));
    content.add(shallowKey(code.qualname)).add(keyOfBytes('s', code.exceptiontable));
  }
  return content.key(`c${code.form}`);
}
