import {createHash} from 'node:crypto';

import {describe, expect, test} from '@jest/globals';

import {canonicalItems, canonicalKey} from '../../../src/marshal/key.js';
import type {PyCode310, PyCode311, PyObject, PyStr} from '../../../src/marshal/objects.js';
import {strOf} from './arbitrary.js';

const str = (value: string): PyStr => ({type: 'str', value});
const int = (value: bigint): PyObject => ({type: 'int', value});
const float = (bits: bigint): PyObject => ({type: 'float', bits});
const tuple = (...items: PyObject[]): PyObject => ({type: 'tuple', items});
const bytes = (...value: number[]): PyObject => ({type: 'bytes', value: Uint8Array.of(...value)});

const common = {
  type: 'code' as const,
  argcount: 1,
  posonlyargcount: 0,
  kwonlyargcount: 0,
  stacksize: 3,
  flags: 4,
  code: Uint8Array.of(1, 2),
  consts: [int(1n)],
  names: [str('n')],
  filename: str('f'),
  name: str('x'),
  firstlineno: 7,
  linetable: Uint8Array.of(9),
};
const code310: PyCode310 = {
  ...common,
  form: '3.10',
  nlocals: 1,
  varnames: [str('v')],
  freevars: [],
  cellvars: [],
};
const code311: PyCode311 = {
  ...common,
  form: '3.11',
  localsplusnames: [str('v')],
  localspluskinds: Uint8Array.of(0x20),
  qualname: str('q'),
  exceptiontable: Uint8Array.of(),
};

describe('canonicalKey', () => {
  test('distinguishes constants that Python considers equal, and those that look alike', () => {
    const long = 'l'.repeat(5000);
    const alike: PyObject[] = [
      {type: 'None'},
      {type: 'bool', value: true},
      {type: 'bool', value: false},
      int(0n),
      int(1n),
      int(-1n),
      int(10n),
      int(2n ** 4000n),
      int(-(2n ** 4000n)),
      float(0n),
      float(1n << 63n),
      float(0x3ff0000000000000n),
      float(0x7ff8000000000000n),
      float(0x7ff8000000000001n),
      {type: 'complex', realBits: 0n, imagBits: 0n},
      {type: 'complex', realBits: 0n, imagBits: 1n << 63n},
      {type: 'complex', realBits: 0x11n, imagBits: 0x1n},
      {type: 'complex', realBits: 0x1n, imagBits: 0x11n},
      str(''),
      str('N'),
      str('1'),
      str(long),
      str(`${long}l`),
      strOf([0x1f40d]),
      strOf([0xd83d, 0xdc0d]),
      strOf([0xd83d]),
      bytes(),
      bytes(0x31),
      {type: 'bytes', value: Buffer.from(long)},
      ...(['tuple', 'list', 'set', 'frozenset'] as const).map((type): PyObject => ({type, items: []})),
      ...(['dict', 'frozendict'] as const).map((type): PyObject => ({type, entries: []})),
      tuple(int(1n)),
      tuple({type: 'bool', value: true}),
      tuple(str('1')),
      tuple(tuple(int(1n))),
      tuple(int(1n), int(2n)),
      tuple(int(2n), int(1n)),
      tuple(str('a'), str('b')),
      tuple(str('ab'), str('')),
      tuple(str('a'), str('b'), str('')),
      {type: 'list', items: [int(1n)]},
      {type: 'frozenset', items: [int(1n)]},
      {type: 'set', items: [int(1n)]},
      {type: 'dict', entries: [[int(1n), int(2n)]]},
      {type: 'dict', entries: [[int(2n), int(1n)]]},
      {type: 'slice', start: int(1n), stop: int(2n), step: {type: 'None'}},
      {type: 'slice', start: int(1n), stop: {type: 'None'}, step: int(2n)},
    ];
    expect(new Set(alike.map(canonicalKey)).size).toBe(alike.length);
  });

  test.each([code310, code311])('takes every field of a code object into account: form $form', (code) => {
    for (const [field, value] of Object.entries(code)) {
      if (field === 'type' || field === 'form') continue;
      const other: unknown =
        typeof value === 'number'
          ? value + 1
          : value instanceof Uint8Array
            ? Uint8Array.of(...value, 0)
            : Array.isArray(value)
              ? [...(value as PyStr[]), str('more')]
              : str('other');
      expect([field, canonicalKey({...code, [field]: other})]).not.toEqual([field, canonicalKey(code)]);
    }
    expect(canonicalKey({...code})).toBe(canonicalKey(code));
  });

  test('stays short and takes no time on a graph whose unfolded size is astronomical', () => {
    const shared = (leaf: PyObject): PyObject => {
      let graph = leaf;
      for (let level = 0; level < 5000; level++) graph = tuple(graph, graph);
      return graph;
    };
    const key = canonicalKey(shared(int(1n)));
    expect(key.length).toBeLessThan(130);
    expect(canonicalKey(shared(int(1n)))).toBe(key);
    expect(canonicalKey(shared(int(2n)))).not.toBe(key);
  });

  test('works for contents beyond one chunk of the hash', () => {
    const many = (last: bigint): PyObject =>
      tuple(...Array.from({length: 50_000}, () => str('member')), int(last));
    expect(canonicalKey(many(1n))).toBe(canonicalKey(many(1n)));
    expect(canonicalKey(many(1n))).not.toBe(canonicalKey(many(2n)));
  });

  test('is the same in every process', () => {
    expect(canonicalKey(tuple(int(255n), str('a')))).toBe('(:4:i:ff3:u:a');
    // sha256 of forty times '3:u:a', in base 64
    const forty = tuple(...Array.from({length: 40}, () => str('a')));
    expect(canonicalKey(forty)).toBe(`(#${createHash('sha256').update('3:u:a'.repeat(40)).digest('base64')}`);
  });
});

test('canonicalItems removes exact duplicates only, and sorts the rest', () => {
  const one: PyObject[] = [int(1n), {type: 'bool', value: true}, float(0n), str('a'), int(1n), str('a')];
  const items = canonicalItems(one);
  expect(items).toHaveLength(4);
  expect(canonicalItems([...one].reverse())).toEqual(items);
});
