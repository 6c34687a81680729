import fc from 'fast-check';

import {canonicalItems} from '../../../src/marshal/key.js';
import type {CodeForm} from '../../../src/marshal/code.js';
import type {PyCode, PyObject, PyStr} from '../../../src/marshal/objects.js';

/** A str of any code points, surrogates among them. */
export function strOf(codePoints: readonly number[]): PyStr {
  const value = String.fromCodePoint(...codePoints);
  const surrogates = codePoints.some((point) => point >= 0xd800 && point <= 0xdfff);
  return surrogates ? {type: 'str', value, codePoints} : {type: 'str', value};
}

const float64Bits = fc.oneof(
  fc.bigInt({min: 0n, max: 2n ** 64n - 1n}),
  fc.constantFrom(0n, 1n << 63n, 0x7ff0000000000000n, 0x7ff8000000000001n, 0xfff8000000000000n),
  fc.integer({min: -1000, max: 1000}).map((value) => {
    const part = Buffer.alloc(8);
    part.writeDoubleLE(value / 8);
    return part.readBigUInt64LE();
  }),
);
const bytes = fc.uint8Array({maxLength: 200});
const str = fc.oneof(
  fc.string({maxLength: 300}).map((value): PyStr => ({type: 'str', value})),
  fc
    .array(fc.oneof(fc.integer({min: 0, max: 0x10ffff}), fc.integer({min: 0xd7fe, max: 0xe001})), {
      maxLength: 12,
    })
    .map(strOf),
);
const scalar: fc.Arbitrary<PyObject> = fc.oneof(
  fc.constantFrom<PyObject>({type: 'None'}, {type: 'Ellipsis'}, {type: 'StopIteration'}),
  fc.boolean().map((value): PyObject => ({type: 'bool', value})),
  fc.bigInt().map((value): PyObject => ({type: 'int', value})),
  fc.integer({min: -3, max: 300}).map((value): PyObject => ({type: 'int', value: BigInt(value)})),
  fc.bigInt({min: -(2n ** 500n), max: 2n ** 500n}).map((value): PyObject => ({type: 'int', value})),
  float64Bits.map((bits): PyObject => ({type: 'float', bits})),
  fc
    .tuple(float64Bits, float64Bits)
    .map(([realBits, imagBits]): PyObject => ({type: 'complex', realBits, imagBits})),
  str,
  bytes.map((value): PyObject => ({type: 'bytes', value})),
);

/** Any object of the graph, in canonical form. */
export function pyObject(form: CodeForm): fc.Arbitrary<PyObject> {
  return fc.letrec<{object: PyObject}>((tie) => {
    const object = tie('object');
    const items = fc.array(object, {maxLength: 6});
    const entries = fc.array(fc.tuple(object, object), {maxLength: 4});
    return {
      object: fc.oneof(
        {maxDepth: 5, depthIdentifier: 'object'},
        scalar,
        items.map((all): PyObject => ({type: 'tuple', items: all})),
        items.map((all): PyObject => ({type: 'list', items: all})),
        items.map((all): PyObject => ({type: 'set', items: canonicalItems(all)})),
        items.map((all): PyObject => ({type: 'frozenset', items: canonicalItems(all)})),
        entries.map((all): PyObject => ({type: 'dict', entries: all})),
        entries.map((all): PyObject => ({type: 'frozendict', entries: all})),
        fc
          .tuple(object, object, object)
          .map(([start, stop, step]): PyObject => ({type: 'slice', start, stop, step})),
        code(form, items),
      ),
    };
  }).object;
}

/** A code object that CPython's own checks would let through. */
function code(form: CodeForm, consts: fc.Arbitrary<PyObject[]>): fc.Arbitrary<PyCode> {
  const count = fc.nat({max: 2});
  const number = fc.nat({max: 2 ** 31 - 1});
  const names = fc.array(str, {maxLength: 3});
  const numbers = fc.record({
    posonlyargcount: count,
    positional: count,
    kwonlyargcount: count,
    stacksize: number,
    flags: number,
    firstlineno: fc.integer({min: -(2 ** 31), max: 2 ** 31 - 1}),
  });
  const objects = fc.record({
    consts,
    names,
    filename: str,
    name: str,
    qualname: str,
    locals: names,
    others: names,
  });
  const tables = fc.record({code: fc.uint8Array({maxLength: 80}), linetable: bytes, exceptiontable: bytes});
  return fc.tuple(numbers, objects, tables).map(([{positional, ...counters}, fields, rest]) => {
    const argcount = counters.posonlyargcount + positional;
    const needed = argcount + counters.kwonlyargcount + 2;
    const locals = [...fields.locals, ...Array.from({length: needed}, (_, index) => strOf([0x61 + index]))];
    const common = {
      type: 'code' as const,
      argcount,
      ...counters,
      code: Uint8Array.of(...rest.code, ...rest.code),
      consts: fields.consts,
      names: fields.names,
      filename: fields.filename,
      name: fields.name,
      linetable: rest.linetable,
    };
    return form === '3.10'
      ? {
          ...common,
          form,
          nlocals: locals.length,
          varnames: locals,
          freevars: fields.others,
          cellvars: fields.names,
        }
      : {
          ...common,
          form,
          localsplusnames: [...locals, ...fields.others],
          localspluskinds: Uint8Array.of(...locals.map(() => 0x20), ...fields.others.map(() => 0x80)),
          qualname: fields.qualname,
          exceptiontable: rest.exceptiontable,
        };
  });
}
