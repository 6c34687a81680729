import {expect, test} from '@jest/globals';
import {firstTraceable, localsCounts} from '../../../../src/codegen/objects/counts.js';
import type {PyCode311} from '../../../../src/marshal/objects.js';

test('counts locals, cells and free variables as CPython does', () => {
  // A local, an argument that is a cell too, a plain cell, a free variable, a hidden local (3.12's comprehensions).
  const code = {localspluskinds: Uint8Array.of(0x20, 0x60, 0x40, 0x80, 0x30)} as unknown as PyCode311;
  expect(localsCounts(code)).toEqual({nlocals: 3, nplaincellvars: 1, ncellvars: 2, nfreevars: 1});
});

test.each([
  ['at the start', [149, 0, 1, 2], 0],
  ['after others', [5, 149, 62, 0, 149, 0], 2],
  ['after the one of a generator expression', [149, 4, 75, 0, 31, 0, 149, 0], 3],
  ['nowhere', [1, 149, 2, 149], 2],
])('finds the first RESUME %s', (_, bytecode, index) => {
  expect(firstTraceable(Uint8Array.from(bytecode), 149)).toBe(index);
});
