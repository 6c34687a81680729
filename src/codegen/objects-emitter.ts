import {canonicalKey} from '../marshal/key.js';
import type {PyCode, PyCode311, PyObject, PyStr} from '../marshal/objects.js';
import {cArray, cString} from './c-text.js';
import {type Emitted, emitBytes, emitComplex, emitFloat, emitInt, emitStr} from './constants.js';
import {firstTraceable, localsCounts} from './counts.js';
import type {Layout} from './layout.js';
import {Slots} from './slots.js';
import {isNameLike} from './text.js';
import type {WellKnownStrings} from './well-known.js';

/** Something among the constants that no layout can express. */
export class UnsupportedConstant extends Error {}

export interface EmitterOptions {
  readonly layout: Layout;
  readonly wellKnown: WellKnownStrings;
  /** The co_filename that stands for the path which is known only at run time; other file names are kept. */
  readonly pathPlaceholder: string | undefined;
  /** Prepared bytecode by code object. */
  readonly bytecode: ReadonlyMap<PyCode, Uint8Array>;
}

/**
 * Turns an object graph into C declarations, children before parents. Equal constants (same type, same bits) become one
 * static object; code objects are never merged.
 */
export class ObjectsEmitter {
  readonly declarations: string[] = [];
  readonly slots = new Slots();
  /** C names of the code objects, in the order of their declaration. */
  readonly codeNames: string[] = [];
  /** Whether some code object wants the path that is filled in at run time. */
  usesPath = false;

  readonly #options: EmitterOptions;
  readonly #pool = new Map<string, string>();
  readonly #codes = new Map<PyCode, string>();
  readonly #frozensets = new Map<string, (slot: string) => void>();
  #count = 0;

  constructor(options: EmitterOptions) {
    this.#options = options;
  }

  /** Emits a code object and everything below it; returns its C name. Throws UnsupportedConstant. */
  code(code: PyCode): string {
    const known = this.#codes.get(code);
    if (known !== undefined) return known;
    if (code.form !== '3.11') throw new UnsupportedConstant('code of CPython 3.10');
    const name = this.#emitCode(code);
    this.#codes.set(code, name);
    this.codeNames.push(name);
    return name;
  }

  #emitCode(code: PyCode311): string {
    const {layout} = this.#options;
    const consts = this.#tuple(code.consts, 'constants');
    const names = this.#tuple(code.names, 'names');
    const localsplusnames = this.#tuple(code.localsplusnames, 'names');
    const bytecode = this.#options.bytecode.get(code) ?? code.code;
    const units = bytecode.length / 2;
    const {nlocals, nplaincellvars, ncellvars, nfreevars} = localsCounts(code);
    const variable = this.#variable('c');
    const fields = [
      units,
      consts,
      names,
      this.#bytes(code.exceptiontable),
      code.flags,
      code.argcount,
      code.posonlyargcount,
      code.kwonlyargcount,
      Math.max(code.stacksize, 1),
      code.firstlineno,
      code.localsplusnames.length,
      nlocals,
      nplaincellvars,
      ncellvars,
      nfreevars,
      localsplusnames,
      this.#bytes(code.localspluskinds),
      this.#filename(code.filename),
      this.#interned(code.name, `&${variable}.co_name`),
      isNameLike(code.qualname)
        ? this.#interned(code.qualname, `&${variable}.co_qualname`)
        : this.#str(code.qualname), // CPython 3.13 interns these too, but nothing is ever looked up by them
      this.#bytes(code.linetable),
      firstTraceable(code.code, layout.resume),
    ];
    this.declarations.push(
      `static FF_IN_CODE FF_CODE_TYPE(${units}) ${variable} = FF_CODE(${fields.join(', ')},\n${cString(bytecode)});`,
    );
    return variable;
  }

  #filename(filename: PyStr): string {
    if (filename.value !== this.#options.pathPlaceholder) return this.#str(filename);
    this.usesPath = true;
    return '(PyObject *)&path';
  }

  #interned(text: PyStr, slot: string): string {
    const reference = this.#str(text);
    this.#intern(reference, slot);
    return reference;
  }

  #intern(reference: string, slot: string): void {
    const ownString = reference.startsWith('(PyObject *)&') && !reference.includes('&_Py_');
    if (ownString || !this.#options.layout.wellKnownInterned) this.slots.intern(reference, slot);
  }

  /** A tuple; of `names` all strings are interned, of `constants` those that CPython interns. */
  #tuple(items: readonly PyObject[], role: 'names' | 'constants'): string {
    if (items.length === 0) return 'FF_EMPTY_TUPLE';
    const key = `tuple ${items.map((item) => canonicalKey(item)).join(' ')}`;
    const merged = items.some(holdsCode) ? undefined : this.#pool.get(key);
    if (merged !== undefined) {
      if (role === 'names') this.#internItems(merged, items, role);
      return merged;
    }
    const references = items.map((item) => (item.type === 'frozenset' ? 'NULL' : this.#reference(item)));
    const setSlots = items.map((item) =>
      item.type === 'frozenset' ? this.#frozenset(item.items) : undefined,
    );
    const variable = this.#variable('t');
    this.declarations.push(
      `static FF_IN_TUPLE FF_TUPLE_TYPE(${items.length}) ${variable} = FF_TUPLE(${items.length}, ${cArray(references)});`,
    );
    setSlots.forEach((addSlot, i) => addSlot?.(`&${variable}.object.items[${i}]`));
    const reference = `(PyObject *)&${variable}.object`;
    this.#pool.set(key, reference);
    this.#internItems(reference, items, role);
    return reference;
  }

  #internItems(tuple: string, items: readonly PyObject[], role: 'names' | 'constants'): void {
    const variable = tuple.slice('(PyObject *)&'.length);
    items.forEach((item, i) => {
      if (item.type === 'str' && (role === 'names' || isNameLike(item))) {
        this.#intern(this.#str(item), `&${variable}.items[${i}]`);
      }
    });
  }

  /** Announces a frozenset; the returned function adds a slot that wants it. */
  #frozenset(items: readonly PyObject[]): (slot: string) => void {
    const key = items.map((item) => canonicalKey(item)).join(' ');
    let addSlot = this.#frozensets.get(key);
    if (addSlot === undefined) {
      addSlot = this.slots.frozenset(this.#tuple(items, 'constants'));
      this.#frozensets.set(key, addSlot);
    }
    return addSlot;
  }

  #reference(object: PyObject): string {
    switch (object.type) {
      case 'None':
        return 'Py_None';
      case 'bool':
        return object.value ? 'Py_True' : 'Py_False';
      case 'Ellipsis':
        return 'Py_Ellipsis';
      case 'str':
        return this.#str(object);
      case 'bytes':
        return this.#bytes(object.value);
      case 'tuple':
        return this.#tuple(object.items, 'constants');
      case 'int':
        return this.#pooled(object, 'i', (variable) => emitInt(object, variable, this.#options.layout));
      case 'float':
        return this.#pooled(object, 'f', (variable) => emitFloat(object.bits, variable));
      case 'complex':
        return this.#pooled(object, 'z', (variable) =>
          emitComplex(object.realBits, object.imagBits, variable),
        );
      case 'code':
        return `(PyObject *)&${this.code(object)}`;
      case 'frozenset':
      case 'StopIteration':
      case 'set':
      case 'list':
      case 'dict':
      case 'frozendict':
      case 'slice':
        throw new UnsupportedConstant(`a constant of type ${object.type}`);
    }
  }

  #str(text: PyStr): string {
    return this.#pooled(text, 's', (variable) => emitStr(text, variable, this.#options.wellKnown));
  }

  #bytes(value: Uint8Array): string {
    return this.#pooled({type: 'bytes', value}, 'b', (variable) => emitBytes(value, variable));
  }

  #pooled(object: PyObject, prefix: string, emit: (variable: string) => Emitted): string {
    const key = canonicalKey(object);
    const known = this.#pool.get(key);
    if (known !== undefined) return known;
    const {reference, declaration} = emit(`${prefix}${this.#count}`);
    if (declaration !== undefined) {
      this.#count++;
      this.declarations.push(declaration);
    }
    this.#pool.set(key, reference);
    return reference;
  }

  #variable(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }
}

function holdsCode(object: PyObject): boolean {
  return object.type === 'code' || (object.type === 'tuple' && object.items.some(holdsCode));
}
