import {holdsNaN} from '../../../src/marshal/nan.js';
import {canonicalKey} from '../../../src/marshal/key.js';
import type {PyCode, PyObject, PyStr} from '../../../src/marshal/objects.js';
import type {Random} from './random.js';

/**
 * How to write: `random` picks among the forms that the format has for the same value, and where references go. Without
 * it the result is what CPython 3.11 and later write in version 2: no references, one form for each type, sets sorted
 * by the bytes of their members.
 */
export function writeMarshal(object: PyObject, random?: Random): Uint8Array {
  const writer = new Writer(random);
  writer.write(object);
  return Buffer.concat(writer.parts);
}

const SURROGATE_FREE = new TextEncoder();

class Writer {
  readonly parts: Uint8Array[] = [];
  readonly #numbers = new Map<string, number>();
  #next = 0;

  constructor(private readonly random: Random | undefined) {}

  write(object: PyObject): void {
    const key = canonicalKey(object);
    const number = this.#numbers.get(key);
    if (number !== undefined && this.#pick(4) !== 0) {
      this.#type('r', false);
      this.#int32(number);
      return;
    }
    const flagged = this.#pick(2) === 1;
    const reserved = flagged && isNumbered(object) ? this.#next++ : undefined;
    this.#body(object, flagged);
    if (reserved !== undefined) this.#numbers.set(key, reserved);
  }

  #body(object: PyObject, flagged: boolean): void {
    switch (object.type) {
      case 'None': {
        this.#type('N', flagged);
        return;
      }
      case 'bool': {
        this.#type(object.value ? 'T' : 'F', flagged);
        return;
      }
      case 'Ellipsis': {
        this.#type('.', flagged);
        return;
      }
      case 'StopIteration': {
        this.#type('S', flagged);
        return;
      }
      case 'int': {
        this.#integer(object.value, flagged);
        return;
      }
      case 'float': {
        this.#floats('g', 'f', [object.bits], flagged);
        return;
      }
      case 'complex': {
        this.#floats('y', 'x', [object.realBits, object.imagBits], flagged);
        return;
      }
      case 'str': {
        this.#text(object, flagged);
        return;
      }
      case 'bytes':
        this.#type('s', flagged);
        {
          this.#sized(object.value);
          return;
        }
      case 'tuple':
        if (object.items.length < 256 && this.#pick(2) === 1) {
          this.#type(')', flagged);
          this.parts.push(Uint8Array.of(object.items.length));
        } else {
          this.#type('(', flagged);
          this.#int32(object.items.length);
        }
        {
          this.#all(object.items);
          return;
        }
      case 'list':
        this.#type('[', flagged);
        this.#int32(object.items.length);
        {
          this.#all(object.items);
          return;
        }
      case 'set':
      case 'frozenset': {
        const members = this.#members(object.items);
        this.#type(object.type === 'set' ? '<' : '>', flagged);
        this.#int32(members.length);
        this.#all(members);
        return;
      }
      case 'dict':
      case 'frozendict':
        this.#type(object.type === 'dict' ? '{' : '}', flagged);
        this.#all(object.entries.flat());
        {
          this.#type('0', false);
          return;
        }
      case 'slice':
        this.#type(':', flagged);
        {
          this.#all([object.start, object.stop, object.step]);
          return;
        }
      case 'code':
        this.#type('c', flagged);
        {
          this.#code(object);
          return;
        }
    }
  }

  #code(code: PyCode): void {
    const {argcount, posonlyargcount, kwonlyargcount, stacksize, flags} = code;
    const numbers = [argcount, posonlyargcount, kwonlyargcount, stacksize, flags];
    if (code.form === '3.10') numbers.splice(3, 0, code.nlocals);
    for (const number of numbers) this.#int32(number);
    this.#all([bytes(code.code), tuple(code.consts), tuple(code.names)]);
    if (code.form === '3.10') {
      this.#all([tuple(code.varnames), tuple(code.freevars), tuple(code.cellvars), code.filename, code.name]);
      this.#int32(code.firstlineno);
      this.write(bytes(code.linetable));
    } else {
      this.#all([tuple(code.localsplusnames), bytes(code.localspluskinds)]);
      this.#all([code.filename, code.name, code.qualname]);
      this.#int32(code.firstlineno);
      this.#all([bytes(code.linetable), bytes(code.exceptiontable)]);
    }
  }

  #integer(value: bigint, flagged: boolean): void {
    const form = this.#pick(3);
    if (form === 2 && BigInt.asIntN(64, value) === value) {
      this.#type('I', flagged);
      const part = Buffer.alloc(8);
      part.writeBigInt64LE(value);
      this.parts.push(part);
    } else if (form === 0 && BigInt.asIntN(32, value) === value) {
      this.#type('i', flagged);
      this.#int32(Number(value));
    } else {
      this.#type('l', flagged);
      const digits: number[] = [];
      for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 15n)
        digits.push(Number(rest & 0x7fffn));
      this.#int32(value < 0n ? -digits.length : digits.length);
      this.parts.push(Uint8Array.from(digits.flatMap((digit) => [digit & 0xff, digit >> 8])));
    }
  }

  #floats(binary: string, text: string, all: readonly bigint[], flagged: boolean): void {
    const parts = all.map((bits) => {
      const part = Buffer.alloc(8);
      part.writeBigUInt64LE(bits);
      return part;
    });
    // The text form cannot say which nan it is.
    const values = parts.map((part) => part.readDoubleLE());
    if (this.#pick(3) === 1 && !values.some(Number.isNaN)) {
      this.#type(text, flagged);
      for (const value of values) {
        const written = (Object.is(value, -0) ? '-0.0' : String(value)).replace('Infinity', 'inf');
        this.parts.push(Uint8Array.of(written.length), Buffer.from(written, 'latin1'));
      }
    } else {
      this.#type(binary, flagged);
      this.parts.push(...parts);
    }
  }

  #text(text: PyStr, flagged: boolean): void {
    const ascii = text.codePoints === undefined && /^[\0-\x7f]*$/.test(text.value);
    const interned = this.#pick(2);
    const form = ascii ? this.#pick(3) : 0;
    if (form === 1 && text.value.length < 256) {
      this.#type(interned === 1 ? 'Z' : 'z', flagged);
      this.parts.push(Uint8Array.of(text.value.length), Buffer.from(text.value, 'latin1'));
    } else {
      this.#type((form === 2 ? 'aA' : 'ut')[interned] ?? '', flagged);
      this.#sized(encodeUtf8(text));
    }
  }

  #members(items: readonly PyObject[]): readonly PyObject[] {
    if (this.random === undefined) {
      const written = items.map((item) => ({item, bytes: writeMarshal(item)}));
      return written.sort((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({item}) => item);
    }
    const members: PyObject[] = [];
    for (const item of items) {
      members.splice(this.#pick(members.length + 1), 0, item);
      // A nan equals nothing, so a set keeps both of two.
      if (this.#pick(4) === 0 && !holdsNaN(item)) members.splice(this.#pick(members.length + 1), 0, item);
    }
    return members;
  }

  #all(objects: readonly PyObject[]): void {
    for (const object of objects) this.write(object);
  }

  #pick(below: number): number {
    return this.random?.(below) ?? 0;
  }

  #type(code: string, flagged: boolean): void {
    this.parts.push(Uint8Array.of(code.charCodeAt(0) | (flagged ? 0x80 : 0)));
  }

  #int32(value: number): void {
    const part = Buffer.alloc(4);
    part.writeInt32LE(value);
    this.parts.push(part);
  }

  #sized(content: Uint8Array): void {
    this.#int32(content.length);
    this.parts.push(content);
  }
}

/** UTF-8 with surrogate code points as three bytes each. */
export function encodeUtf8(text: PyStr): Uint8Array {
  if (text.codePoints === undefined) return SURROGATE_FREE.encode(text.value);
  return Uint8Array.from(
    text.codePoints.flatMap((point) =>
      point >= 0xd800 && point <= 0xdfff
        ? [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)]
        : [...SURROGATE_FREE.encode(String.fromCodePoint(point))],
    ),
  );
}

function isNumbered(object: PyObject): boolean {
  return !['None', 'bool', 'Ellipsis', 'StopIteration'].includes(object.type);
}

function tuple(items: readonly PyObject[]): PyObject {
  return {type: 'tuple', items};
}

function bytes(value: Uint8Array): PyObject {
  return {type: 'bytes', value};
}
