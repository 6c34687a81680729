import {canonicalKey} from '../../marshal/key.js';
import {holdsNaN} from '../../marshal/nan.js';
import type {PyCode, PyObject, PySlice, PyStr} from '../../marshal/objects.js';
import type {Declaration} from '../address-model.js';
import {cArray, cString} from '../c-text.js';
import {cellToArgument} from './cell-to-argument.js';
import {
  type Emitted,
  emitBytes,
  emitComplex,
  emitEmptyTuple,
  emitFloat,
  emitInt,
  emitStr,
  emitTable,
} from './constants.js';
import {firstTraceable, localsCounts} from './counts.js';
import type {Layout} from '../layout.js';
import {type AddSlot, Slots, table} from './slots.js';
import {isNameLike} from './str-storage.js';
import {codeObjectsInnerFirst} from '../unit.js';
import type {WellKnownStrings} from './well-known.js';

/** A constant that no layout can express. */
export class UnsupportedConstant extends Error {}

export interface EmitterOptions {
  readonly layout: Layout;
  readonly wellKnown: WellKnownStrings;
  /** The placeholder in `co_filename` for the path that is known only at run time. Other file names are kept. */
  readonly pathPlaceholder: string | undefined;
  /** Prepared bytecode by code object. */
  readonly bytecode: ReadonlyMap<PyCode, Uint8Array>;
  /** Constants that are interned besides those that look like a name. */
  readonly interned: ReadonlySet<string>;
}

/** An emitted object, as seen by its referrers. */
interface Reference {
  /** The C expression; NULL for what is built at run time. */
  readonly text: string;
  /** Takes the slots of what is built at run time. */
  readonly addSlot?: AddSlot;
  /** The C name of a static object of the module's (or, of a tuple, of the object in it). */
  readonly name?: string;
}

/** The name of the str object whose text is filled in at run time. */
const PATH = 'path';

/**
 * Turns an object graph into C declarations, children before parents. Equal constants (same type, same bits) become one
 * static object, as the compiler has them; code objects are never merged, nor are nans and what holds them, nor the members of slices.
 */
export class ObjectsEmitter {
  readonly declarations: Declaration[] = [];
  readonly slots = new Slots();
  /** C names of the code objects, in the order of their declaration. */
  readonly codeNames: string[] = [];
  /** Whether a code object needs the path that is filled in at run time. */
  usesPath = false;

  readonly #options: EmitterOptions;
  readonly #pool = new Map<string, Reference>();
  /** What slices hold: the compiler looks for equal constants in tuples and frozensets only (merge_const_one(), 3.14). */
  readonly #apart = new Set<PyObject>();
  /** Constants that are merged with no other one. */
  readonly #unique = new Map<PyObject, Reference>();
  readonly #containers = new Map<PyObject, Reference>();
  readonly #codes = new Map<PyCode, string>();
  #count = 0;

  constructor(options: EmitterOptions) {
    this.#options = options;
  }

  /** Emits a code object and everything below it; returns its C name. Throws UnsupportedConstant. */
  code(code: PyCode): string {
    // From the inside out, so that the depth of the code is not that of our calls.
    for (const inner of codeObjectsInnerFirst(code)) this.#codeOnce(inner);
    return this.#codeOnce(code);
  }

  #codeOnce(code: PyCode): string {
    const known = this.#codes.get(code);
    if (known !== undefined) return known;
    const name = this.#emitCode(code);
    this.#codes.set(code, name);
    this.codeNames.push(name);
    return name;
  }

  /** In both forms, the arguments of FF_CODE are the fields in the order of marshal's or of the struct. */
  #emitCode(code: PyCode): string {
    const variable = this.#variable('c');
    const place = (field: string, reference: Reference): string =>
      this.#place(reference, `${variable}.${field}`);
    const strings = (field: string, items: readonly PyStr[]): string => place(field, this.#names(items));
    const consts = place('co_consts', this.#tuple(code.consts));
    const names = strings('co_names', code.names);
    const filename = place('co_filename', this.#filename(code.filename));
    const name = place('co_name', this.#interned(code.name, `${variable}.co_name`));
    const linetable = place('co_linetable', this.#ownBytes(code.linetable));
    const {argcount, posonlyargcount, kwonlyargcount, flags, firstlineno} = code;
    if (code.form === '3.10') {
      const fields = [
        ...[argcount, posonlyargcount, kwonlyargcount, code.nlocals, code.stacksize, flags, firstlineno],
        place('co_code', this.#ownBytes(code.code)),
        consts,
        names,
        strings('co_varnames', code.varnames),
        strings('co_freevars', code.freevars),
        strings('co_cellvars', code.cellvars),
        this.#cellToArgument(cellToArgument(code)),
        ...[filename, name, linetable],
      ];
      this.#declareCode('FF_CODE_TYPE', variable, `FF_CODE(${fields.join(', ')})`);
      return variable;
    }
    const bytecode = this.#options.bytecode.get(code) ?? code.code;
    const units = bytecode.length / 2;
    const {nlocals, nplaincellvars, ncellvars, nfreevars} = localsCounts(code);
    const fields = [
      ...[units, consts, names],
      place('co_exceptiontable', this.#ownBytes(code.exceptiontable)),
      ...[flags, argcount, posonlyargcount, kwonlyargcount, code.stacksize, firstlineno],
      ...[code.localsplusnames.length, nlocals, nplaincellvars, ncellvars, nfreevars],
      strings('co_localsplusnames', code.localsplusnames),
      place('co_localspluskinds', this.#ownBytes(code.localspluskinds)),
      ...[filename, name],
      isNameLike(code.qualname)
        ? place('co_qualname', this.#interned(code.qualname, `${variable}.co_qualname`))
        : place('co_qualname', this.#str(code.qualname)), // CPython 3.13 interns these too, but nothing is ever looked up by them
      linetable,
      firstTraceable(code.code, this.#options.layout.resume),
    ];
    this.#declareCode(
      `FF_CODE_TYPE(${units})`,
      variable,
      `FF_CODE(${fields.join(', ')},\n${cString(bytecode)})`,
    );
    return variable;
  }

  #declareCode(type: string, name: string, value: string): void {
    this.declarations.push({kind: 'code', storage: 'static FF_IN_CODE', type, name, value});
  }

  #cellToArgument(indexes: readonly number[] | undefined): string {
    if (indexes === undefined) return 'NULL';
    const name = this.#variable('x');
    this.declarations.push({...table('Py_ssize_t', name, indexes.map(String)), storage: 'static FF_IN_DATA'});
    return `FF_REF(${name})`;
  }

  #filename(filename: PyStr): Reference {
    if (filename.value !== this.#options.pathPlaceholder) return this.#str(filename);
    if (!this.usesPath) {
      this.usesPath = true;
      this.declarations.push({
        kind: 'str',
        storage: 'static FF_IN_PATH',
        type: 'FF_ASCII_TYPE(FF_PATH_CAPACITY)',
        name: PATH,
        value: 'FF_ASCII(0, "")',
      });
    }
    return {text: `FF_REF(${PATH})`, name: PATH};
  }

  /** The initialiser of `slot`: a pointer, or NULL if the runtime fills it in. */
  #place(reference: Reference, slot: string): string {
    reference.addSlot?.(slot);
    return reference.text;
  }

  #interned(text: PyStr, slot: string): Reference {
    const reference = this.#str(text);
    this.#intern(reference, slot);
    return reference;
  }

  #intern(reference: Reference, slot: string): void {
    if (reference.addSlot !== undefined) return; // the runtime interns what it makes
    if (reference.name !== undefined || !this.#options.layout.wellKnownInterned) {
      this.slots.intern(reference.text, slot);
    }
  }

  /** A tuple of names, all of which are interned. */
  #names(items: readonly PyStr[]): Reference {
    // The identity of an empty tuple of names is not observable, so a static one of our own is used where the interpreter has none.
    const reference = items.length === 0 ? this.#noNames() : this.#tupleOfNames(items);
    items.forEach((item, i) => {
      this.#intern(this.#str(item), `${reference.name ?? ''}.items[${i}]`);
    });
    return reference;
  }

  #tupleOfNames(items: readonly PyStr[]): Reference {
    if (items.every(isNameLike)) return this.#tuple(items);
    return this.#pooledAs(`names ${items.map((item) => canonicalKey(item)).join(' ')}`, () =>
      this.#declareTuple(
        items,
        items.map((item) => this.#str(item)),
      ),
    );
  }

  #noNames(): Reference {
    const {layout} = this.#options;
    if (layout.staticSingletons) return this.#tuple([]);
    return this.#pooledAs('no names', () => this.#declareTuple([]));
  }

  /** A tuple of constants, of which those are interned that CPython interns. */
  #tuple(items: readonly PyObject[]): Reference {
    if (items.length === 0)
      return this.#pooledAs('()', () => this.#emitted(emitEmptyTuple(this.#options.layout)));
    if (items.some((item) => holdsCode(item) || holdsNaN(item))) return this.#declareTuple(items);
    return this.#pooledAs(`tuple ${items.map((item) => canonicalKey(item)).join(' ')}`, () =>
      this.#declareTuple(items),
    );
  }

  #declareTuple(
    items: readonly PyObject[],
    references = items.map((item) => this.#reference(item)),
  ): Reference {
    const variable = this.#variable('t');
    const object = `${variable}.object`;
    const placed = references.map((reference, i) => this.#place(reference, `${object}.items[${i}]`));
    this.declarations.push({
      kind: 'tuple',
      storage: 'static FF_IN_TUPLE',
      type: `FF_TUPLE_TYPE(${items.length})`,
      name: variable,
      value: items.length === 0 ? 'FF_TUPLE(0, {})' : `FF_TUPLE(${items.length}, ${cArray(placed)})`,
    });
    items.forEach((item, i) => {
      const reference = references[i];
      if (item.type === 'str' && reference !== undefined && this.#isInternedConstant(item)) {
        this.#intern(reference, `${object}.items[${i}]`);
      }
    });
    return {text: `FF_REF(${object})`, name: object};
  }

  #frozenset(items: readonly PyObject[]): Reference {
    return this.#pooledAs(`frozenset ${items.map((item) => canonicalKey(item)).join(' ')}`, () =>
      this.#builtFrozenset(items),
    );
  }

  #builtFrozenset(items: readonly PyObject[]): Reference {
    const members = items.length === 0 ? undefined : this.#tuple(items).name;
    return {text: 'NULL', addSlot: this.slots.build({kind: 'FROZENSET', items: members})};
  }

  #slice(slice: PySlice): Reference {
    const build = (): Reference => {
      const members = [slice.start, slice.stop, slice.step];
      for (const member of members) this.#apart.add(member);
      const items = this.#declareTuple(members).name;
      return {text: 'NULL', addSlot: this.slots.build({kind: 'SLICE', items})};
    };
    return holdsNaN(slice) ? this.#once(slice, build) : this.#pooledAs(canonicalKey(slice), build);
  }

  /** A container that several others hold is looked at once. */
  #reference(object: PyObject): Reference {
    if (!['tuple', 'frozenset', 'slice'].includes(object.type)) return this.#referenceOnce(object);
    const reference = this.#containers.get(object) ?? this.#referenceOnce(object);
    this.#containers.set(object, reference);
    return reference;
  }

  #referenceOnce(object: PyObject): Reference {
    const {layout} = this.#options;
    switch (object.type) {
      case 'None':
        return {text: 'FF_NONE'};
      case 'bool':
        return {text: object.value ? 'FF_TRUE' : 'FF_FALSE'};
      case 'Ellipsis':
        return {text: 'FF_ELLIPSIS'};
      case 'str':
        return this.#constantStr(object);
      case 'bytes':
        return this.#pooled(object, 'b', (variable) => emitBytes(object.value, variable, layout));
      case 'tuple':
        return holdsNaN(object)
          ? this.#once(object, () => this.#declareTuple(object.items))
          : this.#tuple(object.items);
      case 'frozenset':
        return holdsNaN(object)
          ? this.#once(object, () => this.#builtFrozenset(object.items))
          : this.#frozenset(object.items);
      case 'slice':
        return this.#slice(object);
      case 'int':
        return this.#pooled(object, 'i', (variable) => emitInt(object, variable, layout));
      case 'float':
        return this.#pooled(object, 'f', (variable) => emitFloat(object.bits, variable));
      case 'complex':
        return this.#pooled(object, 'z', (variable) =>
          emitComplex(object.realBits, object.imagBits, variable),
        );
      case 'code': {
        const name = this.#codeOnce(object);
        return {text: `FF_REF(${name})`, name};
      }
      case 'StopIteration':
      case 'set':
      case 'list':
      case 'dict':
      case 'frozendict':
        throw new UnsupportedConstant(`a constant of type ${object.type}`);
    }
  }

  #str(text: PyStr): Reference {
    const {layout, wellKnown} = this.#options;
    return this.#pooled(text, 's', (variable) => emitStr(text, variable, layout, wellKnown));
  }

  /** A table of a code object: its identity is not observable, so it is never built at run time. */
  #ownBytes(value: Uint8Array): Reference {
    const {layout} = this.#options;
    if (value.length > 1) return this.#reference({type: 'bytes', value});
    return this.#pooledAs(`table ${canonicalKey({type: 'bytes', value})}`, () =>
      this.#declared('b', (variable) => emitTable(value, variable, layout)),
    );
  }

  /**
   * CPython interns constants that look like a name (Objects/codeobject.c, intern_constants()). Others are interned that come from
   * identifiers, such as the names of an import: the parser interns these, and marshal keeps that. It does not look into slices.
   */
  #isInternedConstant(text: PyStr): boolean {
    return !this.#apart.has(text) && (isNameLike(text) || this.#options.interned.has(text.value));
  }

  /** Text among the constants. What is not interned is an object of the module, and not the one of a name or of another module. */
  #constantStr(text: PyStr): Reference {
    if (this.#isInternedConstant(text)) return this.#str(text);
    const {layout} = this.#options;
    const make = (): Reference => this.#declared('s', (variable) => emitStr(text, variable, layout));
    return this.#apart.has(text)
      ? this.#once(text, make)
      : this.#pooledAs(`constant ${canonicalKey(text)}`, make);
  }

  #pooled(object: PyObject, prefix: string, emit: (variable: string) => Emitted): Reference {
    const make = (): Reference => this.#declared(prefix, emit);
    const isMerged = !holdsNaN(object) && !this.#apart.has(object);
    return isMerged ? this.#pooledAs(canonicalKey(object), make) : this.#once(object, make);
  }

  #declared(prefix: string, emit: (variable: string) => Emitted): Reference {
    const emitted = emit(`${prefix}${this.#count}`);
    if ('declaration' in emitted) this.#count++;
    return this.#emitted(emitted);
  }

  /** One static object for one object of the graph. */
  #once(object: PyObject, make: () => Reference): Reference {
    const reference = this.#unique.get(object) ?? make();
    this.#unique.set(object, reference);
    return reference;
  }

  #pooledAs(key: string, make: () => Reference): Reference {
    const known = this.#pool.get(key);
    if (known !== undefined) return known;
    const reference = make();
    this.#pool.set(key, reference);
    return reference;
  }

  #emitted(emitted: Emitted): Reference {
    if ('own' in emitted) return {text: emitted.own};
    if ('built' in emitted) return {text: 'NULL', addSlot: this.slots.build(emitted.built)};
    this.declarations.push(emitted.declaration);
    const {name} = emitted.declaration;
    return {text: `FF_REF(${name})`, name};
  }

  #variable(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }
}

/** What was found out of tuples, which may hold the same ones many times over. */
const codeHolders = new WeakMap<PyObject, boolean>();

function holdsCode(object: PyObject): boolean {
  if (object.type !== 'tuple') return object.type === 'code';
  const holds = codeHolders.get(object) ?? object.items.some(holdsCode);
  codeHolders.set(object, holds);
  return holds;
}
