/** Code units of a few bytes that mean a lot: work stays in proportion to the bytes. */
import {describe, expect, jest, test} from '@jest/globals';
import {digestOf} from '../../../src/model/digest.js';
import {assemblerText} from '../../../src/codegen/object-file/assembler-text.js';
import {writeElf} from '../../../src/codegen/object-file/write-elf.js';
import {generateImage} from '../../../src/codegen/image.js';
import type {ImageLayout, Template} from '../../../src/codegen/probe/image-layout.js';
import {templateSpecs} from '../../../src/codegen/probe/templates.js';
import {layoutOf} from '../../support/fake-toolchain.js';
import {blocksOf} from './image-reader.js';

// Exponential work would take years, quadratic work of this size minutes.
jest.setTimeout(120_000);

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const bytes = (content: Buffer): Buffer => Buffer.concat([Buffer.from('s'), int32(content.length), content]);
const tuple = (...items: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('('), int32(items.length), ...items]);
const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from('z'), Buffer.from([value.length]), Buffer.from(value)]);
const reference = (number: number): Buffer => Buffer.concat([Buffer.from('r'), int32(number)]);
const numbered = (object: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(object[0] ?? 0) | 0x80]), object.subarray(1)]);
const NONE = Buffer.from('N');
const FLOAT = Buffer.concat([Buffer.from('g'), Buffer.alloc(8, 1)]);
const NAN = Buffer.concat([Buffer.from('g'), Buffer.from('000000000000f87f', 'hex')]);
const EMPTY = tuple();
const CODE = bytes(Buffer.from('97006400530000', 'hex').subarray(0, 6));

/** A code object as 3.11 writes it, with these constants. */
const code = (...constants: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from('c'),
    ...[0, 0, 0, 1, 0].map(int32),
    ...[CODE, tuple(...constants), EMPTY, EMPTY, bytes(Buffer.alloc(0)), text('f'), text('n'), text('n')],
    int32(1),
    ...[bytes(Buffer.alloc(0)), bytes(Buffer.alloc(0))],
  ]);

const LAYOUT = layoutOf('3.11');

/** A layout that no compiler made: each object is a word for each argument, in their order, and what follows. */
const WORDS: ImageLayout = (() => {
  const templates = Object.entries(templateSpecs(LAYOUT, false)).map(
    ([name, {parameters}]): [string, Template] => {
      const size = 8 * parameters.length;
      const fields = parameters.map((parameter, i) => [parameter, [{at: 8 * i, width: 8, factor: 1}]]);
      return [
        name,
        {
          ...{size, align: 8, tail: size, object: 0, bytes: Buffer.alloc(size), words: []},
          fields: Object.fromEntries(fields) as Template['fields'],
        },
      ];
    },
  );
  const own = [
    'None',
    'str',
    'bytes',
    'tuple',
    ...Array.from({length: 256}, (_, i) => [`char ${i}`, `byte ${i}`]).flat(),
    ...Array.from({length: 262}, (_, i) => `int ${i - 5}`),
  ];
  return {
    machine: {machine: 62, flags: 0, abi: 0, abiVersion: 0, absolute: 1, distance: 2, notes: []},
    templates: Object.fromEntries(templates) as unknown as ImageLayout['templates'],
    numbers: {
      ...{linkSize: 8, pathSize: 256, builtSize: 32},
      ...{builtFROZENSET: 1, builtSLICE: 2, builtINT: 3, builtSTR: 4, builtBYTES: 5, builtTUPLE: 6},
    },
    objects: new Map(own.map((name, value) => [name, {symbol: 'own', value}])),
  };
})();

function generate(marshal: Buffer): ReturnType<typeof generateImage> {
  return generateImage({
    module: 'm',
    unit: tuple(bytes(marshal), NONE),
    layout: LAYOUT,
    imageLayout: WORDS,
    addressModel: 'absolute',
    keepMarshal: false,
  });
}

/** The bytes of all sections. */
const sizeOf = (made: ReturnType<typeof generateImage>): number =>
  made.ok ? made.value.sections.reduce((sum, section) => sum + section.bytes.length, 0) : Infinity;

/** The digits of the only int: its size comes first. */
function digitsOfInt(made: ReturnType<typeof generateImage>): number[] {
  if (!made.ok) throw new Error(made.failure.message);
  const block = [...blocksOf(made.value).values()].find(({name}) => name.startsWith('i') && name !== 'image');
  const count = block?.bytes.readUInt32LE() ?? 0;
  return Array.from({length: count}, (_, i) => block?.bytes.readUInt32LE(8 + 4 * i) ?? 0);
}

/** Something that holds the one before twice, `depth` times: the numbers of references are in the order of beginnings. */
function doubled(depth: number, hold: (inner: Buffer, again: Buffer) => Buffer, innermost: Buffer): Buffer {
  if (depth === 0) return numbered(innermost);
  let made = innermost;
  for (let level = depth; level >= 0; level--) {
    made = level === depth ? numbered(innermost) : numbered(hold(made, reference(level + 1)));
  }
  return made;
}

describe('shared objects', () => {
  test('an ordinary unit becomes an image', () => {
    expect(generate(code(tuple(FLOAT), NONE))).toMatchObject({ok: true});
  });

  test.each([10, 26, 200])('code objects that hold the next one twice, %d deep', (depth) => {
    const made = generate(doubled(depth, (inner, again) => code(inner, again), code(NONE)));
    expect(made).toMatchObject({
      failure: {code: 'MARSHAL', message: 'the code objects of the code unit share each other'},
    });
  });

  test.each([
    ['tuples', FLOAT],
    ['tuples around a nan', NAN],
  ])('%s that hold the next one twice', (_, innermost) => {
    const made = generate(
      code(
        doubled(200, (inner, again) => tuple(inner, again), tuple(innermost)),
        NONE,
      ),
    );
    expect(sizeOf(made)).toBeLessThan(200_000);
  });

  test('a long tuple that is there many times', () => {
    const long = numbered(
      tuple(...Array.from({length: 20_000}, (_, i) => Buffer.concat([Buffer.from('i'), int32(1000 + i)]))),
    );
    const made = generate(code(long, ...Array.from({length: 20_000}, () => reference(0))));
    expect(made).toMatchObject({ok: true});
  });
});

describe('large constants', () => {
  test('an int of eight megabytes has the right digits', () => {
    const count = 2_000_000;
    const digits = Buffer.alloc(count * 2);
    for (let i = 0; i < count; i++) digits.writeUInt16LE((i * 7919 + 1) & 0x7fff, i * 2);
    const made = generate(code(Buffer.concat([Buffer.from('l'), int32(count), digits]), NONE));
    const expected = Array.from({length: count / 2}, (_, i) => {
      return digits.readUInt16LE(i * 4) + digits.readUInt16LE(i * 4 + 2) * 2 ** 15;
    });
    expect(digestOf(digitsOfInt(made).join())).toBe(digestOf(expected.join()));
  });

  test.each([
    1n << 29n,
    1n << 30n,
    (1n << 30n) - 1n,
    (1n << 60n) + 5n,
    (1n << 61n) - 1n,
    123456789n ** 9n,
    1n << 900n,
  ])('the digits of %d', (value) => {
    const digits: bigint[] = [];
    const limbs: number[] = [];
    for (let rest = value; rest > 0n; rest >>= 30n) digits.push(rest & 0x3fffffffn);
    for (let rest = value; rest > 0n; rest >>= 15n) limbs.push(Number(rest & 0x7fffn));
    const encoded = Buffer.alloc(limbs.length * 2);
    limbs.forEach((limb, i) => encoded.writeUInt16LE(limb, i * 2));
    const made = generate(code(Buffer.concat([Buffer.from('l'), int32(limbs.length), encoded]), NONE));
    expect(digitsOfInt(made)).toEqual(digits.map(Number));
  });

  // As in a module that is a generated table: more than a call takes as arguments.
  test('a table of 200,000 rows', () => {
    const rows = Array.from({length: 200_000}, (_, i) =>
      tuple(Buffer.concat([Buffer.from('i'), int32(1000 + i)])),
    );
    const made = generate(code(Buffer.concat([Buffer.from('('), int32(rows.length), ...rows]), NONE));
    if (!made.ok) throw new Error(made.failure.message);
    expect(writeElf(made.value, WORDS.machine).length).toBeGreaterThan(sizeOf(made));
    expect(assemblerText(made.value)).toContain('\n.Limage:\n');
  });

  test('eight megabytes of bytes', () => {
    expect(generate(code(bytes(Buffer.alloc(8 << 20, 0x80)), NONE))).toMatchObject({ok: true});
  });
});

test('constants that are nested deeper than the stack are a failure', () => {
  let nested = tuple(FLOAT);
  for (let depth = 0; depth < 1900; depth++)
    nested = tuple(nested, Buffer.concat([Buffer.from('i'), int32(depth)]));
  const made = generate(code(nested, NONE));
  if (!made.ok) expect(made.failure.code).toBe('GENERATE');
});
