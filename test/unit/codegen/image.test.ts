import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import type {AddressModel} from '../../../src/codegen/address-model.js';
import {generateImage} from '../../../src/codegen/image.js';
import {assemblerText} from '../../../src/codegen/object-file/assembler-text.js';
import type {ObjectFile} from '../../../src/codegen/object-file/object-file.js';
import {writeElf} from '../../../src/codegen/object-file/write-elf.js';
import type {ImageLayout} from '../../../src/codegen/probe/image-layout.js';
import {digestOf} from '../../../src/model/digest.js';
import {scriptPath} from '../../../src/cpython/interpreter/scripts.js';
import {requestLine, startWorkers, type Workers} from '../../../src/cpython/interpreter/worker.js';
import {LAYOUTS_FOLDER} from '../../../src/fs/package-files.js';
import {findPythons} from '../../../support/pythons.js';
import {layoutOf} from '../../support/fake-toolchain.js';
import {headersOf, measureLayout, wellKnownOf} from '../../support/image-layouts.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {ImageReader, nameOfOwn} from './image-reader.js';

const folder = temporaryDirectory('image');

/** One module with every kind of constant that a compiler emits. */
const EVERY_CONSTANT = String.raw`
"docstring with */ and ??/ and \" quotes"
ascii, latin, ucs2, ucs4 = 'name_like', 'caf\xe9', '\u20ac uro', '\U0001f40d snake'
lone, pair, nul = '\ud800', '\ud83d\udc0d', 'a\0b'
one, empty, eacute = 'q', '', '\xe9'
small, edge, large, negative = 256, 257, 1 << 200, -(1 << 75)
floats = (0.0, -0.0, 1e-10, 1e400, -1e400, 5e-324)
numbers = (1, 1.0, True, 1j, -0.0j, 0j)
nested = ((1, (2.5, 'deep')), ((), ('x',)), b'', b'b', b'\xff\x00"\\')
def f(x, *args, key=None, **kw):
    if x in {1, 'two', (3, 4), None, frozenset}: return ...
    if x in {'a', 'b', 'c'}: return x
    class C:
        def method(self): return __class__, [y for y in args]
    return lambda: (x, C)
async def g():
    async with f() as h: yield h
`;

const series = findPythons().filter(({series: each}) => existsSync(join(LAYOUTS_FOLDER, `python${each}.h`)));
const MODELS: readonly AddressModel[] = ['absolute', 'position-independent'];

describe.each(series.map((found) => [found.series, found] as const))('Python %s', (version, found) => {
  const include = headersOf(found.python);
  const layout = layoutOf(version);
  let workers: Workers;
  let layouts: Readonly<Record<AddressModel, ImageLayout>>;
  beforeAll(() => {
    workers = startWorkers({...found, count: 1});
    const measured = MODELS.map((model) => {
      const read = measureLayout(version, include, model, folder);
      if (!read.ok) throw new Error(read.failure.message);
      return [model, read.value];
    });
    layouts = Object.fromEntries(measured) as typeof layouts;
  });
  afterAll(() => workers.stop());

  async function unitOf(text: string, filename = 'pkg/mod.py'): Promise<Uint8Array> {
    const source = join(folder, 'module.py');
    const output = join(folder, 'unit');
    writeFileSync(source, text);
    const done = await workers.compile({
      source,
      filename,
      optimize: 0,
      output,
      importsOutput: `${output}.imports`,
    });
    if (!done.ok) throw new Error(done.failure.details ?? done.failure.message);
    return readFileSync(output);
  }

  function generate(
    unit: Uint8Array,
    options: {keepMarshal?: boolean; marshal?: Uint8Array; addressModel?: AddressModel} = {},
  ): ObjectFile {
    const {addressModel = 'absolute', keepMarshal = false, marshal} = options;
    const image = generateImage({
      ...{module: 'pkg.mod', unit, layout, addressModel, keepMarshal},
      imageLayout: layouts[addressModel],
      pathPlaceholder: 'pkg/mod.py',
      ...(marshal === undefined ? {} : {marshal}),
    });
    if (!image.ok) throw new Error(image.failure.message);
    return image.value;
  }
  const readImage = async (text: string, filename?: string): Promise<ImageReader> =>
    new ImageReader(generate(await unitOf(text, filename)), layouts.absolute);

  test('the position-independent form needs no relocation but between its parts, and names nothing of others', async () => {
    const file = generate(await unitOf(EVERY_CONSTANT), {
      keepMarshal: true,
      addressModel: 'position-independent',
    });
    const object = join(folder, 'image.o');
    writeFileSync(object, writeElf(file, layouts['position-independent'].machine));
    const {fields} = layouts['position-independent'].templates.image;
    const distances = [1, 2, 3].map((part) => fields[`parts[${part}].distance`]?.[0]?.at);
    expect(file.sections.map(({name, relocations}) => [name, relocations.map((each) => each.at)])).toEqual([
      ['ff_table', distances],
      ['ff_written', []],
      ['ff_string', []],
      ['ff_rest', []],
    ]);
    // Linkers resolve them: the library needs none.
    const library = join(folder, 'image.so');
    execFileSync('gcc', ['-shared', '-nostdlib', object, '-o', library]);
    expect(execFileSync('readelf', ['-r', library], {encoding: 'utf8'})).toContain('no relocations');
    expect(execFileSync('nm', ['-u', object], {encoding: 'utf8'})).toBe('');
  });

  test('hash seeds leave no trace but the digest of the unit, which workers make with one seed', () => {
    const seeds = ['0', '1', '77'];
    const source = join(folder, 'seeded.py');
    writeFileSync(source, EVERY_CONSTANT);
    const units = seeds.map((seed) => {
      const output = join(folder, `seeded${seed}.unit`);
      const request = {
        source,
        filename: 'pkg/mod.py',
        optimize: 0,
        output,
        importsOutput: `${output}.imports`,
      } as const;
      execFileSync(found.python, ['-s', '-S', '-B', scriptPath('compile_modules.py')], {
        stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
        input: requestLine({id: 1, request}),
        env: {...found.environment, PYTHONHASHSEED: seed},
      });
      return readFileSync(output);
    });
    const texts = units.map((unit) => {
      const digest = digestOf(unit);
      const text = assemblerText(generate(unit));
      expect(text).toContain(digest);
      return text.replaceAll(digest, '');
    });
    expect(new Set(texts).size).toBe(1);
  });

  const NAN = /^[7f]ff8/;
  test('nans, and what holds them, are objects of their own', async () => {
    const nan = '(1e400 - 1e400)';
    const image = await readImage(
      `a = ${nan}\nb = (${nan}, 1.5)\ndef f(x): return ${nan}, 1.5, (${nan}, 1.5), x in {${nan}, 2.5}\n`,
    );
    const floats = image.floats();
    expect(floats.filter((bits) => NAN.test(bits))).toHaveLength(5);
    expect(floats.filter((bits) => bits === '3ff8000000000000')).toHaveLength(1);
  });

  test('a nan that the compiler has in several places is one object', async () => {
    // Up to 3.11, what a folded tuple was made of stays among the constants.
    const image = await readImage('class C:\n    def f(self, v=1e400 - 1e400): pass\n');
    expect(image.floats().filter((bits) => NAN.test(bits))).toHaveLength(1);
  });

  test('only text that CPython interns is an object of several modules', async () => {
    const image = await readImage(
      'x = ("shared_marker", ".own", "<lambda>", "of this module")\nf = lambda y: [y]\n',
    );
    const groups = [...image.blocks.values()].flatMap(({group}) => group ?? []);
    expect(groups).toContain('ff_s_shared__marker');
    expect(groups).not.toContain('ff_s__Down');
    const count = (text: string): number => image.texts().filter((each) => each.text === text).length;
    // A name has the interpreter's own object where it has one; the constant is another.
    expect(count('<lambda>')).toBe(wellKnownOf(include).size > 0 ? 1 : 2);
    expect(count('of this module')).toBe(1);
  });

  test('constants that come from identifiers are interned, in whatever letters', async () => {
    const source = [
      'from x import größe, 名前, 名',
      'f(größer=1)',
      'x = "größte", "Größe mit Text"',
      'match x:\n    case X(größtes=1): pass',
      'def größere(): return "größe"',
    ];
    const image = await readImage(`${source.join('\n')}\n`);
    const slots = new Set(image.links('strings'));
    const words = new Map(image.texts().map(({text, block}) => [block.name, text]));
    // The words in tuples, by whether the runtime interns them there.
    const seen = {interned: new Set<string>(), own: new Set<string>()};
    for (const tuple of image.ofKind('tuple')) {
      for (const [at, target] of tuple.pointers) {
        const word = words.get(target);
        if (word === undefined || /^[ -~]*$/.test(word)) continue;
        seen[slots.has(`${tuple.name}+${at}`) ? 'interned' : 'own'].add(word);
      }
    }
    expect(seen).toEqual({
      interned: new Set(['größe', 'größer', 'größere', 'größtes', '名前', '名']),
      own: new Set(['größte', 'Größe mit Text']),
    });
  });

  test('code that is nested as deep as Python nests it', async () => {
    const tuple = `${'('.repeat(190)}1,${'),'.repeat(190)}`;
    const image = await readImage(`f = ${'lambda: '.repeat(990)}0\nx = ${tuple}\n`);
    expect(image.links('codes')).toHaveLength(991);
    expect(image.ofKind('code')).toHaveLength(991);
  });

  test('constants are merged by type and bits, never by ==', async () => {
    const image = await readImage('x = (1.0, 300, 300.0, -0.0, 0.0, 1.0)\ny = [0.0, 300, "zz", b"zz"]\n');
    expect(image.floats().sort()).toEqual(['0', '3ff0000000000000', '4072c00000000000', '8000000000000000']);
    const ints = image.ofKind('positive').map((block) => image.tail('positive', block).readUInt32LE());
    expect(ints).toEqual([300]);
    expect(image.texts().filter(({text}) => text === 'zz')).toHaveLength(1);
    const bytes = image.ofKind('bytes').filter((block) => image.argument('bytes', block, 'size') === 2n);
    const contents = bytes.map((block) => image.tail('bytes', block).toString('latin1', 0, 3));
    expect(contents.filter((content) => content === 'zz\0')).toHaveLength(1);
  });

  test('numbers have their sign and digits', async () => {
    const image = await readImage(`x = [${1n << 200n}, -${1n << 75n}]\n`);
    const [large] = image
      .ofKind('positive')
      .filter((each) => image.argument('positive', each, 'digits') === 7n);
    const tail = large === undefined ? Buffer.alloc(28) : image.tail('positive', large);
    const digits = Array.from({length: 7}, (_, i) => tail.readUInt32LE(4 * i));
    expect(digits).toEqual([0, 0, 0, 0, 0, 0, 1 << 20]);
    const all = image.ofKind('negative').map((block) => image.tail('negative', block).toString('hex', 0, 12));
    expect(all).toContain('000000000000000000800000');
  });

  test('well-known objects are the interpreter’s own', async () => {
    const image = await readImage('x = (256, -5, "", "a", "\\xe9", (), b"", b"z", "__init__")\n');
    const {numbers} = layouts.absolute;
    if (!layout.staticSingletons) {
      const built = image.built().map(({kind, value}) => [kind, value]);
      const expected = [
        ...[
          [numbers.builtINT, 256],
          [numbers.builtINT, -5],
          [numbers.builtSTR, -1],
          [numbers.builtSTR, 97],
        ],
        ...[
          [numbers.builtSTR, 233],
          [numbers.builtTUPLE, 0],
          [numbers.builtBYTES, 0],
        ],
      ];
      expect(built).toEqual(expect.arrayContaining(expected));
      expect(image.texts().map(({text}) => text)).toContain('__init__');
      return;
    }
    const [tuple] = image.ofKind('tuple').filter((block) => image.argument('tuple', block, 'size') === 9n);
    const start = layouts.absolute.templates.tuple.tail;
    const items = Array.from({length: 9}, (_, i) => tuple?.pointers.get(start + 8 * i));
    const own = ['int 256', 'int -5', 'str', 'char 97', 'char 233', 'tuple', 'bytes'];
    expect(items.slice(0, 7)).toEqual(own.map((name) => nameOfOwn(layouts.absolute, name)));
    expect(items[8]).toBe(nameOfOwn(layouts.absolute, 'text __init__'));
  });

  test('bytes of one byte are not the interpreter’s own, as in a module that marshal reads', async () => {
    const image = await readImage('x = (b"z", b"zz", b"z")\n');
    const single = image
      .ofKind('bytes')
      .filter((block) => image.tail('bytes', block).toString('latin1', 0, 2) === 'z\0');
    expect(single).toHaveLength(1);
  });

  test('the path that is known only at run time is filled in, other file names are kept', async () => {
    const image = await readImage('x = 1\n');
    expect([...(image.blocks.get('image')?.pointers.values() ?? [])]).toContain('path');
    expect(image.blocks.get('path')?.bytes).toHaveLength(layouts.absolute.numbers.pathSize);
    const frozen = await readImage('x = 1\n', '<frozen mod>');
    expect([...frozen.blocks.keys()]).not.toContain('path');
    expect(frozen.texts().map(({text}) => text)).toContain('<frozen mod>');
  });

  test('marshal bytes of other code are rejected', async () => {
    const other = join(folder, 'other.bin');
    execFileSync(found.python, [
      '-c',
      `import marshal; open(${JSON.stringify(other)}, "wb").write(marshal.dumps(compile("2", "x", "eval")))`,
    ]);
    const unit = await unitOf('x = 1\n');
    expect(() => generate(unit, {keepMarshal: true, marshal: readFileSync(other)})).toThrow(
      /code for pkg.mod differs/,
    );
  });
});
