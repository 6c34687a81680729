import {canonicalKey} from '../../marshal/key.js';
import {holdsNaN} from '../../marshal/nan.js';
import type {PyCode, PyCode310, PyCode311, PyObject, PySlice, PyStr} from '../../marshal/objects.js';
import type {Address, Block, Target} from '../blocks/block.js';
import type {Argument, BlockList} from '../blocks/block-list.js';
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
  type Sharing,
} from './constants.js';
import {firstTraceable, localsCounts} from './counts.js';
import type {Layout} from '../layout.js';
import {MOST_SHARED} from '../object-file/object-file.js';
import type {ImageLayout} from '../probe/image-layout.js';
import {type AddSlot, Slots} from './slots.js';
import {isNameLike} from './str-storage.js';
import {codeObjectsInnerFirst} from '../unit.js';

/** A constant that no layout can express. */
export class UnsupportedConstant extends Error {}

export interface EmitterOptions {
  readonly layout: Layout;
  readonly imageLayout: ImageLayout;
  /** Takes what is emitted. */
  readonly list: BlockList;
  /** The placeholder in `co_filename` for the path that is known only at run time. Other file names are kept. */
  readonly pathPlaceholder: string | undefined;
  /** Prepared bytecode by code object. */
  readonly bytecode: ReadonlyMap<PyCode, Uint8Array>;
  /** Constants that are interned besides those that look like a name. */
  readonly interned: ReadonlySet<string>;
}

/** An emitted object, as seen by its referrers. */
interface Reference {
  /** Not given for what is built at run time. */
  readonly target?: Target;
  /** Takes the slots of what is built at run time. */
  readonly addSlot?: AddSlot;
  /** The block of a static object of the module's. */
  readonly block?: Block;
}

/** The size of a pointer, in bytes. */
const POINTER = 8;

/**
 * Turns an object graph into blocks, children before parents. Equal constants (same type, same bits) become one
 * static object, as the compiler has them; code objects are never merged, nor are nans and what holds them, nor the members of slices.
 */
export class ObjectsEmitter {
  readonly slots = new Slots();
  /** The code objects, in the order in which they were made. */
  readonly codes: Block[] = [];
  /** The str object whose text is filled in at run time, if a code object needs it. */
  path: Block | undefined;

  readonly #options: EmitterOptions;
  readonly #pool = new Map<string, Reference>();
  /** What slices hold: the compiler looks for equal constants in tuples and frozensets only (merge_const_one(), 3.14). */
  readonly #apart = new Set<PyObject>();
  /** Constants that are merged with no other one. */
  readonly #unique = new Map<PyObject, Reference>();
  readonly #containers = new Map<PyObject, Reference>();
  readonly #blockOfCode = new Map<PyCode, Block>();
  readonly #sharing: Sharing;
  #shared = 0;

  constructor(options: EmitterOptions) {
    this.#options = options;
    this.#sharing = {
      isWellKnown: (text) => options.imageLayout.objects.has(`text ${text}`),
      hasRoom: () => ++this.#shared <= MOST_SHARED,
    };
  }

  /** Emits a code object and everything below it. Throws UnsupportedConstant. */
  code(code: PyCode): Block {
    // From the inside out, so that the depth of the code is not that of our calls.
    for (const inner of codeObjectsInnerFirst(code)) this.#codeOnce(inner);
    return this.#codeOnce(code);
  }

  #codeOnce(code: PyCode): Block {
    const known = this.#blockOfCode.get(code);
    if (known !== undefined) return known;
    const block = code.form === '3.10' ? this.#code310(code) : this.#code311(code);
    this.#blockOfCode.set(code, block);
    this.codes.push(block);
    return block;
  }

  #code310(code: PyCode310): Block {
    const {argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, firstlineno} = code;
    return this.#makeCode(
      {argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, firstlineno},
      {
        code: this.#ownBytes(code.code),
        consts: this.#tuple(code.consts),
        names: this.#names(code.names),
        varnames: this.#names(code.varnames),
        freevars: this.#names(code.freevars),
        cellvars: this.#names(code.cellvars),
        cell2arg: this.#cellToArgument(cellToArgument(code)),
        filename: this.#filename(code.filename),
        name: this.#str(code.name),
        linetable: this.#ownBytes(code.linetable),
      },
      ['name'],
    );
  }

  #code311(code: PyCode311): Block {
    const bytecode = this.#options.bytecode.get(code) ?? code.code;
    const {argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno} = code;
    return this.#makeCode(
      {
        ...{
          units: bytecode.length / 2,
          flags,
          argcount,
          posonlyargcount,
          kwonlyargcount,
          stacksize,
          firstlineno,
        },
        ...{nlocalsplus: code.localsplusnames.length, ...localsCounts(code)},
        firsttraceable: firstTraceable(code.code, this.#options.layout.resume),
      },
      {
        consts: this.#tuple(code.consts),
        names: this.#names(code.names),
        exceptiontable: this.#ownBytes(code.exceptiontable),
        localsplusnames: this.#names(code.localsplusnames),
        localspluskinds: this.#ownBytes(code.localspluskinds),
        filename: this.#filename(code.filename),
        name: this.#str(code.name),
        qualname: this.#str(code.qualname),
        linetable: this.#ownBytes(code.linetable),
      },
      // CPython 3.13 interns every qualified name, but nothing is ever looked up by them.
      isNameLike(code.qualname) ? ['name', 'qualname'] : ['name'],
      bytecode,
    );
  }

  /** @param interned the fields whose strings are interned; @param bytecode what follows the fields */
  #makeCode(
    numbers: Readonly<Record<string, number>>,
    objects: Readonly<Record<string, Reference>>,
    interned: readonly string[],
    bytecode: Uint8Array = new Uint8Array(),
  ): Block {
    const pointers: Record<string, Argument> = {};
    for (const [field, {target}] of Object.entries(objects)) pointers[field] = target;
    const block = this.#options.list.make({
      ...{letter: 'c', kind: 'code', place: 'code', template: 'code', tail: bytecode},
      arguments: {...numbers, ...pointers},
    });
    const slotOf = (field: string): Address => ({
      block,
      offset: this.#options.imageLayout.templates.code.fields[field]?.[0]?.at ?? 0,
    });
    for (const [field, reference] of Object.entries(objects)) reference.addSlot?.(slotOf(field));
    for (const field of interned) this.#intern(objects[field] ?? {}, slotOf(field));
    return block;
  }

  #cellToArgument(indexes: readonly number[] | undefined): Reference {
    if (indexes === undefined) return {};
    const bytes = Buffer.alloc(8 * indexes.length);
    indexes.forEach((index, i) => bytes.writeBigInt64LE(BigInt(index), 8 * i));
    const {list} = this.#options;
    return {target: list.table(`x${list.blocks.length}`, bytes, 8, 'data').start};
  }

  #filename(filename: PyStr): Reference {
    if (filename.value !== this.#options.pathPlaceholder) return this.#str(filename);
    const {list, imageLayout} = this.#options;
    const {pathSize} = imageLayout.numbers;
    this.path ??= list.make({
      ...{letter: 's', name: 'path', kind: 'str', place: 'path', template: 'ascii', arguments: {length: 0}},
      capacity: pathSize - imageLayout.templates.ascii.tail,
    });
    return referenceTo(this.path);
  }

  #intern({target, addSlot, block}: Reference, slot: Address): void {
    if (target === undefined || addSlot !== undefined) return; // the runtime interns what it makes
    if (block !== undefined || !this.#options.layout.wellKnownInterned) this.slots.intern(target, slot);
  }

  /** A tuple of names, all of which are interned. */
  #names(items: readonly PyStr[]): Reference {
    // The identity of an empty tuple of names is not observable, so a static one of our own is used where the interpreter has none.
    const reference = items.length === 0 ? this.#noNames() : this.#tupleOfNames(items);
    const {block} = reference;
    if (block !== undefined)
      items.forEach((item, i) => {
        this.#intern(this.#str(item), this.#slotOfItem(block, i));
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
    const block = this.#options.list.make({
      ...{
        letter: 't',
        kind: 'tuple',
        place: 'tuple',
        template: 'tuple',
        arguments: {size: items.length},
        capacity: POINTER * items.length,
      },
    });
    references.forEach(({target, addSlot}, i) => {
      const slot = this.#slotOfItem(block, i);
      if (target !== undefined) block.words.push({at: slot.offset, target, form: 'object'});
      addSlot?.(slot);
    });
    items.forEach((item, i) => {
      const reference = references[i];
      if (item.type === 'str' && reference !== undefined && this.#isInternedConstant(item))
        this.#intern(reference, this.#slotOfItem(block, i));
    });
    return referenceTo(block);
  }

  #slotOfItem(block: Block, index: number): Address {
    return {block, offset: this.#options.imageLayout.templates.tuple.tail + POINTER * index};
  }

  #frozenset(items: readonly PyObject[]): Reference {
    return this.#pooledAs(`frozenset ${items.map((item) => canonicalKey(item)).join(' ')}`, () =>
      this.#builtFrozenset(items),
    );
  }

  #builtFrozenset(items: readonly PyObject[]): Reference {
    const members = items.length === 0 ? undefined : this.#tuple(items).target;
    return {addSlot: this.slots.build({kind: 'FROZENSET', items: members})};
  }

  #slice(slice: PySlice): Reference {
    const build = (): Reference => {
      const members = [slice.start, slice.stop, slice.step];
      for (const member of members) this.#apart.add(member);
      const items = this.#declareTuple(members).target;
      return {addSlot: this.slots.build({kind: 'SLICE', items})};
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
        return this.#own('None');
      case 'bool':
        return this.#own(object.value ? 'True' : 'False');
      case 'Ellipsis':
        return this.#own('Ellipsis');
      case 'str':
        return this.#constantStr(object);
      case 'bytes':
        return this.#pooled(object, () => emitBytes(object.value, layout));
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
        return this.#pooled(object, () => emitInt(object, layout));
      case 'float':
        return this.#pooled(object, () => emitFloat(object.bits));
      case 'complex':
        return this.#pooled(object, () => emitComplex(object.realBits, object.imagBits));
      case 'code':
        return referenceTo(this.#codeOnce(object));
      case 'StopIteration':
      case 'set':
      case 'list':
      case 'dict':
      case 'frozendict':
        throw new UnsupportedConstant(`a constant of type ${object.type}`);
    }
  }

  #str(text: PyStr): Reference {
    return this.#pooled(text, () => emitStr(text, this.#options.layout, this.#sharing));
  }

  /** A table of a code object: its identity is not observable, so it is never built at run time. */
  #ownBytes(value: Uint8Array): Reference {
    const {layout} = this.#options;
    const key = canonicalKey({type: 'bytes', value});
    return this.#pooledAs(value.length > 1 ? key : `table ${key}`, () =>
      this.#emitted(emitTable(value, layout)),
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
    const make = (): Reference => this.#emitted(emitStr(text, layout));
    return this.#apart.has(text)
      ? this.#once(text, make)
      : this.#pooledAs(`constant ${canonicalKey(text)}`, make);
  }

  #pooled(object: PyObject, emit: () => Emitted): Reference {
    const make = (): Reference => this.#emitted(emit());
    const isMerged = !holdsNaN(object) && !this.#apart.has(object);
    return isMerged ? this.#pooledAs(canonicalKey(object), make) : this.#once(object, make);
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
    if ('own' in emitted) return this.#own(emitted.own);
    if ('built' in emitted) return {addSlot: this.slots.build(emitted.built)};
    return referenceTo(this.#options.list.make(emitted));
  }

  /** An object of the interpreter, by its name in the probe. */
  #own(name: string): Reference {
    const target = this.#options.imageLayout.objects.get(name);
    if (target === undefined) throw new Error(`the probe has no ${name}`);
    return {target};
  }
}

function referenceTo(block: Block): Reference {
  return {target: block.object === 0 ? block.start : {block, offset: block.object}, block};
}

/** What was found out of tuples, which may hold the same ones many times over. */
const codeHolders = new WeakMap<PyObject, boolean>();

function holdsCode(object: PyObject): boolean {
  if (object.type !== 'tuple') return object.type === 'code';
  const holds = codeHolders.get(object) ?? object.items.some(holdsCode);
  codeHolders.set(object, holds);
  return holds;
}
