import {describe, expect, test} from '@jest/globals';

import type {CodeForm} from '../../../src/marshal/code.js';
import type {PyObject, PyStr} from '../../../src/marshal/objects.js';
import {MOST_OBJECTS, readMarshal, type ReadLimits} from '../../../src/marshal/reader.js';

const str = (value: string): PyStr => ({type: 'str', value});
const int = (value: number): PyObject => ({type: 'int', value: BigInt(value)});
const tuple = (...items: PyObject[]): PyObject => ({type: 'tuple', items});

/** Bytes from latin1 text; `\u0080` and above are single bytes, so `flag('(')` is a type code with FLAG_REF. */
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const flag = (code: string): string => String.fromCharCode(code.charCodeAt(0) | 0x80);
const int32 = (value: number): string => {
  const part = Buffer.alloc(4);
  part.writeInt32LE(value);
  return part.toString('latin1');
};

function read(text: string, codeForm: CodeForm = '3.11', limits: ReadLimits = {}): PyObject | string {
  const result = readMarshal(bytesOf(text), {codeForm, limits});
  if (result.ok) return result.value;
  expect(result.failure.code).toBe('MARSHAL');
  return result.failure.message;
}

const DOUBLE_ONE_AND_HALF = '\0\0\0\0\0\0\xf8\x3f';

describe('every type code', () => {
  test.each<[string, string, PyObject]>([
    ['None', 'N', {type: 'None'}],
    ['False', 'F', {type: 'bool', value: false}],
    ['True', 'T', {type: 'bool', value: true}],
    ['StopIteration', 'S', {type: 'StopIteration'}],
    ['Ellipsis', '.', {type: 'Ellipsis'}],
    ['int', `i${int32(-5)}`, int(-5)],
    [
      'int64, which is no longer written',
      'I\xff\xff\xff\xff\xff\xff\xff\x7f',
      {type: 'int', value: 2n ** 63n - 1n},
    ],
    ['long', `l${int32(3)}\x01\0\0\0\x02\0`, {type: 'int', value: 1n + (2n << 30n)}],
    ['long, negative', `l${int32(-1)}\xff\x7f`, int(-0x7fff)],
    ['long, zero', `l${int32(0)}`, int(0)],
    ['float', `g${DOUBLE_ONE_AND_HALF}`, {type: 'float', bits: 0x3ff8000000000000n}],
    ['float as text', 'f\x031.5', {type: 'float', bits: 0x3ff8000000000000n}],
    ['float as text, infinite', 'f\x04-inf', {type: 'float', bits: 0xfff0000000000000n}],
    ['float as text, nan', 'f\x03nan', {type: 'float', bits: 0x7ff8000000000000n}],
    ['float as text, too large', 'f\x051e999', {type: 'float', bits: 0x7ff0000000000000n}],
    [
      'complex',
      `y${DOUBLE_ONE_AND_HALF}\0\0\0\0\0\0\0\x80`,
      {type: 'complex', realBits: 0x3ff8000000000000n, imagBits: 1n << 63n},
    ],
    [
      'complex as text',
      'x\x031.5\x02-0',
      {type: 'complex', realBits: 0x3ff8000000000000n, imagBits: 1n << 63n},
    ],
    ['bytes', `s${int32(2)}\0\xff`, {type: 'bytes', value: Uint8Array.of(0, 255)}],
    ['bytes, empty', `s${int32(0)}`, {type: 'bytes', value: Uint8Array.of()}],
    ['interned', `t${int32(2)}\xc3\xa9`, str('\xe9')],
    ['unicode', `u${int32(4)}\xf0\x9f\x90\x8d`, str('\u{1f40d}')],
    ['unicode with a byte order mark', `u${int32(3)}\xef\xbb\xbf`, str('\ufeff')],
    [
      'unicode, a lone surrogate',
      `u${int32(3)}\xed\xa0\x80`,
      {type: 'str', value: '\ud800', codePoints: [0xd800]},
    ],
    [
      'unicode, two surrogates that stay two',
      `u${int32(7)}x\xed\xa0\xbd\xed\xb0\x8d`,
      {type: 'str', value: 'x\u{1f40d}', codePoints: [0x78, 0xd83d, 0xdc0d]},
    ],
    ['ascii', `a${int32(2)}hi`, str('hi')],
    ['ascii interned', `A${int32(2)}hi`, str('hi')],
    ['short ascii', 'z\x02hi', str('hi')],
    ['short ascii interned', 'Z\x02hi', str('hi')],
    ['short ascii that is not ascii, as CPython reads it', 'z\x01\xe9', str('\xe9')],
    ['tuple', `(${int32(2)}NT`, tuple({type: 'None'}, {type: 'bool', value: true})],
    ['small tuple', ')\x01N', tuple({type: 'None'})],
    ['small tuple, empty', ')\0', tuple()],
    ['list', `[${int32(1)}N`, {type: 'list', items: [{type: 'None'}]}],
    ['dict', '{z\x01aN0', {type: 'dict', entries: [[str('a'), {type: 'None'}]]}],
    ['dict, empty', '{0', {type: 'dict', entries: []}],
    ['set', `<${int32(2)}NN`, {type: 'set', items: [{type: 'None'}]}],
    ['frozenset', `>${int32(0)}`, {type: 'frozenset', items: []}],
    [
      'slice, of version 5',
      ':NTF',
      {
        type: 'slice',
        start: {type: 'None'},
        stop: {type: 'bool', value: true},
        step: {type: 'bool', value: false},
      },
    ],
    [
      'frozendict, of version 6',
      '}TN0',
      {type: 'frozendict', entries: [[{type: 'bool', value: true}, {type: 'None'}]]},
    ],
  ])('%s', (_, text, object) => {
    expect(read(text)).toEqual(object);
    // With FLAG_REF it means the same.
    expect(read(flag(text.charAt(0)) + text.slice(1))).toEqual(object);
  });

  test('a frozenset is read the same from any order', () => {
    const members = ['z\x01a', 'z\x01b', `i${int32(1)}`, 'T', 'N'];
    const forwards = read(`>${int32(5)}${members.join('')}`);
    expect(forwards).toEqual(read(`>${int32(5)}${members.reverse().join('')}`));
    expect(forwards).toMatchObject({items: {length: 5}});
  });
});

describe('references', () => {
  test('count from zero in the order of type codes with FLAG_REF, containers before their objects', () => {
    // 0 the outer tuple, 1 the inner one, 2 'a', 3 'b'
    const text = `${flag('(')}${int32(6)}${flag(')')}\x01${flag('z')}\x01a${flag('z')}\x01b`;
    const a = str('a');
    const refs = [1, 2, 3, 1].map((number) => `r${int32(number)}`).join('');
    expect(read(text + refs)).toEqual(tuple(tuple(a), str('b'), tuple(a), a, str('b'), tuple(a)));
  });

  test.each([
    ['list', `${flag('[')}${int32(1)}`],
    ['frozenset', `${flag('>')}${int32(1)}`],
    ['dict', `${flag('{')}N`],
    ['frozendict', `${flag('}')}N`],
    ['slice', `${flag(':')}NN`],
  ])('a %s takes its number before its objects do', (_, opening) => {
    const end = /^[\xfb\xfd]/.test(opening) ? '0' : '';
    const pair = `)\x02${opening}${flag('z')}\x01a${end}`;
    expect(read(`${pair}r${int32(1)}`)).toMatchObject({items: [{}, str('a')]});
    expect(read(`${pair}r${int32(0)}`)).toMatchObject({
      items: [{}, {type: expect.not.stringMatching('str') as unknown}],
    });
  });

  test('singletons take no number, flag or not', () => {
    expect(read(`)\x03${flag('N')}${flag('z')}\x01ar${int32(0)}`)).toEqual(
      tuple({type: 'None'}, str('a'), str('a')),
    );
  });

  test('share the object', () => {
    const shared = read(`)\x02${flag(')')}\x01Nr${int32(0)}`);
    if (typeof shared === 'string' || shared.type !== 'tuple') throw new Error('not a tuple');
    expect(shared.items[0]).toBe(shared.items[1]);
  });

  test.each([
    ['to nothing', `r${int32(0)}`, 'byte 0: there is no object number 0'],
    ['before the first', `)\x02${flag('z')}\x01ar${int32(-1)}`, 'byte 5: there is no object number -1'],
    [
      'to a list from inside it',
      `${flag('[')}${int32(1)}r${int32(0)}`,
      'byte 5: object number 0 contains itself',
    ],
    ['to a dict from inside it', `${flag('{')}Nr${int32(0)}0`, 'byte 2: object number 0 contains itself'],
    [
      'to a tuple from deep inside',
      `${flag(')')}\x01)\x01r${int32(0)}`,
      'byte 4: object number 0 contains itself',
    ],
  ])('%s are rejected', (_, text, message) => {
    expect(read(text)).toContain(message);
  });
});

describe('code objects', () => {
  const name = 'z\x01x';
  const empty = `s${int32(0)}`;
  const numbers = (...values: number[]): string => values.map(int32).join('');
  const fields311 = {
    numbers: numbers(1, 0, 0, 2, 3),
    code: `s${int32(2)}ab`,
    consts: ')\x01N',
    names: `)\x01${name}`,
    localsplusnames: `)\x01${name}`,
    localspluskinds: `s${int32(1)}\x20`,
    filename: name,
    name,
    qualname: 'z\x03x.y',
    firstlineno: int32(-1),
    linetable: empty,
    exceptiontable: empty,
  };
  const write = (fields: Readonly<Record<string, string>>): string => `c${Object.values(fields).join('')}`;

  test('of 3.11 and later', () => {
    expect(read(write(fields311))).toEqual({
      type: 'code',
      form: '3.11',
      argcount: 1,
      posonlyargcount: 0,
      kwonlyargcount: 0,
      stacksize: 2,
      flags: 3,
      code: Uint8Array.of(0x61, 0x62),
      consts: [{type: 'None'}],
      names: [str('x')],
      localsplusnames: [str('x')],
      localspluskinds: Uint8Array.of(0x20),
      filename: str('x'),
      name: str('x'),
      qualname: str('x.y'),
      firstlineno: -1,
      linetable: Uint8Array.of(),
      exceptiontable: Uint8Array.of(),
    });
  });

  test('of 3.10', () => {
    const fields = [
      numbers(0, 0, 0, 1, 2, 3),
      empty,
      ')\0',
      ')\0',
      `)\x01${name}`,
      ')\0',
      ')\0',
      name,
      name,
      int32(9),
      empty,
    ];
    expect(read(`c${fields.join('')}`, '3.10')).toMatchObject({
      form: '3.10',
      nlocals: 1,
      varnames: [str('x')],
      firstlineno: 9,
    });
    expect(read(`c${fields.join('')}`)).toMatch(/^the marshal data is damaged at byte/);
  });

  test.each([
    ['code', 'N', 'the code of a code object is of type None, not bytes'],
    ['code', `s${int32(1)}a`, 'odd length'],
    ['consts', 'N', 'the consts of a code object is of type None, not a tuple'],
    ['names', ')\x01N', 'the names of a code object are not all str'],
    ['localspluskinds', empty, 'not as many localspluskinds as localsplusnames'],
    ['localspluskinds', `s${int32(1)}\x80`, 'more arguments than local variables'],
    ['filename', empty, 'the filename of a code object is of type bytes, not a str'],
    ['qualname', '0', 'byte 53: a NULL stands where a code needs an object'],
    ['numbers', numbers(0, 1, 0, 0, 0), 'out of range'],
    ['numbers', numbers(0, 0, 0, 0, -1), 'out of range'],
    ['numbers', numbers(0, 0, 0x7fffffff, 0, 0), 'more arguments than local variables'],
  ])('with a wrong %s are rejected (%j)', (field, text, message) => {
    expect(read(write({...fields311, [field]: text}))).toContain(message);
  });
});

describe('damage', () => {
  test.each([
    ['nothing at all', '', 'byte 0: the data ends'],
    ['an unknown type code', '?', 'byte 0: "?" is not a type code'],
    ['an unknown type code with FLAG_REF', flag('?'), 'byte 0: "?" is not a type code'],
    ['NULL alone', '0', 'byte 0: there is a NULL in place of an object'],
    ['NULL in a tuple', ')\x010', 'byte 2: a NULL stands where a tuple needs an object'],
    ['NULL for a value of a dict', '{N0', 'byte 2: a NULL stands where a dict needs an object'],
    ['bytes after the object', 'NN', 'byte 1: there are 1 bytes after the end'],
    ['an int cut short', 'i\0\0', 'byte 1: the data ends where 4 more bytes are needed'],
    ['a digit out of range', `l${int32(1)}\0\x80`, 'byte 5: a digit of an int has more than 15 bits'],
    ['a highest digit of zero', `l${int32(2)}\x01\0\0\0`, 'byte 7: the highest digit of an int is zero'],
    ['more digits than bytes', `l${int32(-(2 ** 31))}\0\0`, 'byte 1: it announces 2147483648 digits'],
    ['a huge tuple', `(${int32(2 ** 31 - 1)}N`, 'byte 1: it announces 2147483647 objects'],
    ['a huge set', `<${int32(2 ** 31 - 1)}N`, 'byte 1: it announces 2147483647 objects'],
    ['huge bytes', `s${int32(2 ** 30)}N`, 'byte 1: it announces 1073741824 bytes'],
    ['a negative count', `[${int32(-1)}`, 'byte 1: a count of objects is negative'],
    ['text that is no number', 'f\x041_00', 'byte 1: this text is not a number'],
    ['empty text for a number', 'f\0', 'byte 1: this text is not a number'],
    ['UTF-8 that is overlong', `u${int32(3)}a\xc0\x80`, 'byte 6: this text is not UTF-8'],
    ['UTF-8 cut short', `u${int32(3)}a\xe2\x82`, 'byte 6: this text is not UTF-8'],
    ['UTF-8 beyond U+10FFFF', `u${int32(4)}\xf4\x90\x80\x80`, 'byte 5: this text is not UTF-8'],
    ['a stray continuation byte', `u${int32(3)}ab\x80`, 'byte 7: this text is not UTF-8'],
  ])('%s', (_, text, message) => {
    expect(read(text)).toContain(message);
  });
});

describe('limits', () => {
  const nested = (depth: number): string => ')\x01'.repeat(depth - 1) + 'N';

  test('2000 objects deep is the most, as in CPython', () => {
    expect(read(nested(2000))).toMatchObject({type: 'tuple'});
    expect(read(nested(2001))).toContain('byte 4000: objects are nested more than 2000 deep');
    expect(read(nested(3), '3.11', {depth: 2})).toContain('nested more than 2 deep');
  });

  test('references count with their depth', () => {
    // Each item holds the one before, by reference: flat as a stream, deep as a graph.
    const chain = (length: number): string =>
      `(${int32(length)}${flag(')')}\x01N${Array.from({length: length - 1}, (_, index) => `${flag(')')}\x01r${int32(index)}`).join('')}`;
    expect(read(chain(1998))).toMatchObject({items: {length: 1998}});
    expect(read(chain(1999))).toContain('nested more than 2000 deep');
  });

  test('deep data is safe when little stack is left', () => {
    let deepest = 0;
    const measure = (depth: number): number => {
      deepest = depth;
      return measure(depth + 1) + 1;
    };
    expect(() => measure(0)).toThrow(RangeError);
    const descend = (depth: number): PyObject | string => {
      const result = depth === 0 ? read(nested(2000)) : descend(depth - 1);
      return typeof result === 'string' ? `${result} (${depth})` : result;
    };
    expect(descend(Math.floor(deepest * 0.7))).toMatchObject({type: 'tuple'});
  });

  test('a stream may not have more objects than fit into memory', () => {
    const bytes = Buffer.alloc(5 + MOST_OBJECTS, 'N');
    bytes.write('(');
    bytes.writeInt32LE(MOST_OBJECTS, 1);
    const options = {codeForm: '3.11', limits: {bytes: bytes.length}} as const;
    const result = readMarshal(bytes, options);
    expect(result.ok ? '' : result.failure.message).toMatch(
      /at byte \d+: there are more than 5000000 objects$/,
    );
    bytes.writeInt32LE(MOST_OBJECTS - 1, 1);
    expect(readMarshal(bytes.subarray(0, -1), options).ok).toBe(true);
  });

  test('a stream may not be larger than the limit', () => {
    expect(read(`s${int32(100)}${'x'.repeat(100)}`, '3.11', {bytes: 104})).toBe(
      'the marshal data exceeds the limit at byte 104',
    );
  });

  test('a small stream of references to a large object stays small', () => {
    const big = `${flag('u')}${int32(400_000)}${'x'.repeat(400_000)}`;
    const refs = `r${int32(0)}`.repeat(100_000);
    expect(read(`>${int32(100_001)}${big}${refs}`)).toMatchObject({items: {length: 1}});
  });

  test('code objects that share large fields many times are rejected', () => {
    const shared = (count: number): string => {
      const numbers = int32(0).repeat(5);
      const empty = [`s${int32(0)}`, ')\0'];
      const fields = [
        ...empty,
        `r${int32(0)}`,
        ')\0',
        empty[0],
        'z\0',
        'z\0',
        'z\0',
        int32(1),
        empty[0],
        empty[0],
      ];
      const names = `${flag('(')}${int32(3000)}${'z\0'.repeat(3000)}`;
      return `(${int32(count + 1)}${names}${`c${numbers}${fields.join('')}`.repeat(count)}`;
    };
    expect(read(shared(20))).toMatchObject({items: {length: 21}});
    expect(read(shared(2000))).toContain('code objects share their fields out of all proportion');
  });

  test('a huge int takes linear time', () => {
    const digits = 2_000_000;
    const object = read(`l${int32(digits)}${'\xff\x7f'.repeat(digits)}`);
    expect(object).toEqual({type: 'int', value: (1n << BigInt(15 * digits)) - 1n});
  });
});

test('results do not change when the bytes do', () => {
  const bytes = bytesOf(`s${int32(2)}ab`);
  const result = readMarshal(bytes, {codeForm: '3.11'});
  bytes.fill(0);
  expect(result).toMatchObject({value: {value: Uint8Array.of(0x61, 0x62)}});
});
