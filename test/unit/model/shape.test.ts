import {expect, test} from '@jest/globals';
import {
  isBoolean,
  isNumber,
  isText,
  isTrue,
  listOf,
  mapOf,
  nullOr,
  objectWith,
  oneOf,
  optional,
  schemaOf,
  textThat,
  tuple,
} from '../../../src/model/shape.js';

interface Entry {
  readonly name: string;
  readonly size: number | null;
  readonly note?: string;
}
const isEntry = objectWith<Entry>({name: isText, size: nullOr(isNumber), note: optional(isText)});

test.each([
  [isText, ['', 'x'], [1, null, undefined, {}]],
  [isNumber, [0, 1.5], ['1', null]],
  [isBoolean, [true, false], [0, 'true', null]],
  [isTrue, [true], [false, 1]],
  [textThat((text) => text.startsWith('a')), ['ab'], ['b', 1]],
  [oneOf('a', 1), ['a', 1], ['b', 2, undefined]],
  [nullOr(isText), [null, 'x'], [undefined, 1]],
  [optional(isText), [undefined, 'x'], [null, 1]],
  [listOf(isText), [[], ['x']], [['x', 1], {}, 'x']],
  [tuple(isText, isNumber), [['x', 1]], [['x'], ['x', 1, 2], [1, 'x'], {}]],
  [mapOf(isNumber), [{}, {a: 1}], [{a: 'x'}, [1], null]],
  [
    isEntry,
    [
      {name: 'x', size: null},
      {name: 'x', size: 1, note: 'y', more: 1},
    ],
    [{name: 'x'}, {name: 'x', size: 1, note: 2}, null, []],
  ],
])('check %#', (check, good, bad) => {
  expect(good.filter((value) => !check(value))).toEqual([]);
  expect(bad.filter((value) => check(value))).toEqual([]);
});

test('a schema gives the value, or nothing', () => {
  const schema = schemaOf<Entry>(isEntry);
  expect(schema.safeParse({name: 'x', size: 1})).toEqual({success: true, data: {name: 'x', size: 1}});
  expect(schema.safeParse({name: 1})).toEqual({success: false});
});
