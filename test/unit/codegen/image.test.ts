import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import type {AddressModel} from '../../../src/codegen/address-model.js';
import {generateImage} from '../../../src/codegen/image.js';
import {type Layout, parseLayout} from '../../../src/codegen/layout.js';
import {parseWellKnownStrings} from '../../../src/codegen/objects/well-known.js';
import {digestOf} from '../../../src/model/digest.js';
import {scriptPath} from '../../../src/cpython/interpreter/scripts.js';
import {requestLine, startWorkers, type Workers} from '../../../src/cpython/interpreter/worker.js';
import {findPythons} from '../../../support/pythons.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const layouts = join(import.meta.dirname, '../../../src/codegen/layouts');
const runtime = join(import.meta.dirname, '../../../src/runtime');
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

const series = findPythons().filter(({series: each}) => existsSync(join(layouts, `python${each}.h`)));

describe.each(series.map((found) => [found.series, found] as const))('Python %s', (version, found) => {
  const include = execFileSync(
    found.python,
    ['-c', 'import sysconfig; print(sysconfig.get_path("include"))'],
    {
      encoding: 'utf8',
    },
  ).trim();
  const strings = join(include, 'internal', 'pycore_global_strings.h');
  let workers: Workers;
  let layout: Layout;
  beforeAll(() => {
    workers = startWorkers({...found, count: 1});
    const parsed = parseLayout(
      `python${version}.h`,
      readFileSync(join(layouts, `python${version}.h`), 'utf8'),
    );
    if (!parsed.ok) throw new Error(parsed.failure.message);
    layout = parsed.value;
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
  ): string {
    const image = generateImage({
      module: 'pkg.mod',
      unit,
      layout,
      wellKnown: parseWellKnownStrings(existsSync(strings) ? readFileSync(strings, 'utf8') : ''),
      addressModel: options.addressModel ?? 'absolute',
      pathPlaceholder: 'pkg/mod.py',
      keepMarshal: options.keepMarshal ?? false,
      ...(options.marshal === undefined ? {} : {marshal: options.marshal}),
    });
    if (!image.ok) throw new Error(image.failure.message);
    return image.value;
  }

  function compile(text: string, flags: readonly string[]): string {
    const file = join(folder, 'image.c');
    const object = join(folder, 'image.o');
    writeFileSync(file, text);
    const warnings = ['-Wall', '-Wextra', '-Werror'];
    const headers = [
      '-isystem',
      include,
      '-isystem',
      join(include, 'internal'),
      '-I',
      runtime,
      '-I',
      layouts,
    ];
    execFileSync('gcc', [...warnings, ...headers, ...flags, '-c', file, '-o', object]);
    return object;
  }

  test('the C compiles against the real headers without a warning', async () => {
    const unit = await unitOf(EVERY_CONSTANT);
    for (const keepMarshal of [false, true]) compile(generate(unit, {keepMarshal}), ['-fno-pie']);
  });

  test('the position-independent C needs no relocation', async () => {
    const text = generate(await unitOf(EVERY_CONSTANT), {
      keepMarshal: true,
      addressModel: 'position-independent',
    });
    const object = compile(text, ['-fPIC', '-DFF_POSITION_INDEPENDENT=1']);
    expect(execFileSync('readelf', ['-r', object], {encoding: 'utf8'})).toContain('no relocations');
  });

  test('no comment, and no text of the program outside of literals', async () => {
    const text = generate(await unitOf(EVERY_CONSTANT));
    const code = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
    expect(code).not.toMatch(/\/\*|\/\//);
    expect(code).not.toContain('snake');
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
      const text = generate(unit);
      expect(text).toContain(digest);
      return text.replaceAll(digest, '');
    });
    expect(new Set(texts).size).toBe(1);
  });

  test('nans, and what holds them, are objects of their own', async () => {
    const nan = '(1e400 - 1e400)';
    const text = generate(
      await unitOf(
        `a = ${nan}\nb = (${nan}, 1.5)\ndef f(x): return ${nan}, 1.5, (${nan}, 1.5), x in {${nan}, 2.5}\n`,
      ),
    );
    const nans = text.match(/FF_FLOAT\(0x[7f]ff8[0-9a-f]*u\)/g) ?? [];
    expect(nans).toHaveLength(5);
    expect(text.match(/FF_FLOAT\(0x3ff8000000000000u\)/g)).toHaveLength(1);
  });

  test('a nan that the compiler has in several places is one object', async () => {
    // Up to 3.11, what a folded tuple was made of stays among the constants.
    const text = generate(await unitOf('class C:\n    def f(self, v=1e400 - 1e400): pass\n'));
    expect(text.match(/FF_FLOAT\(0x[7f]ff8[0-9a-f]*u\)/g)).toHaveLength(1);
  });

  test('only text that CPython interns is an object of several modules', async () => {
    const text = generate(
      await unitOf('x = ("shared_marker", ".own", "<lambda>", "of this module")\nf = lambda y: [y]\n'),
    );
    expect(text).toContain('FF_SHARED(ff_s_shared__marker)');
    expect(text).not.toContain('ff_s__Down');
    // A name has the interpreter's own object where it has one; the constant is another.
    expect(text.match(/FF_ASCII\(8, "<lambda>"\)/g)).toHaveLength(existsSync(strings) ? 1 : 2);
    expect(text.match(/FF_ASCII\(14, "of this module"\)/g)).toHaveLength(1);
  });

  test('constants that come from identifiers are interned, in whatever letters', async () => {
    const source = [
      'from x import größe, 名前, 名',
      'f(größer=1)',
      'x = "größte", "Größe mit Text"',
      'match x:\n    case X(größtes=1): pass',
      'def größere(): return "größe"',
    ];
    const text = generate(await unitOf(`${source.join('\n')}\n`));
    const [, slots = ''] = /strings\[\d+\] = \{(.*?)\}/s.exec(text) ?? [];
    // The words in tuples, by whether the runtime interns them there.
    const seen = {interned: new Set<string>(), own: new Set<string>()};
    for (const [, tuple = '', items = ''] of text.matchAll(/ (t\d+) = FF_TUPLE\(\d+, \{(.*?)\}\)/gs)) {
      for (const [i, item] of items.split(/,\s*/).entries()) {
        const [, variable = ''] = /^FF_REF\((s\d+)\)$/.exec(item) ?? [];
        const [, word] = new RegExp(`= FF_TEXT\\(${variable}, \\d+, \\d, (.*)\\)`).exec(text) ?? [];
        if (word !== undefined)
          seen[slots.includes(`FF_TO(${tuple}.object.items[${i}])`) ? 'interned' : 'own'].add(word);
      }
    }
    const latin = (word: string): string =>
      `"${word.replaceAll(/[^ -~]/g, (char) => `\\${char.charCodeAt(0).toString(8)}`)}"`;
    expect(seen).toEqual({
      interned: new Set(
        ['größe', 'größer', 'größere', 'größtes'].map(latin).concat('{21517, 21069}', '{21517}'),
      ),
      own: new Set(['größte', 'Größe mit Text'].map(latin)),
    });
  });

  test('code that is nested as deep as Python nests it', async () => {
    const tuple = `${'('.repeat(190)}1,${'),'.repeat(190)}`;
    const text = generate(await unitOf(`f = ${'lambda: '.repeat(990)}0\nx = ${tuple}\n`));
    expect(text.match(/ FF_CODE\(/g)).toHaveLength(991);
  });

  test('constants are merged by type and bits, never by ==', async () => {
    const text = generate(
      await unitOf('x = (1.0, 300, 300.0, -0.0, 0.0, 1.0)\ny = [0.0, 300, "zz", b"zz"]\n'),
    );
    const bits = [...text.matchAll(/FF_FLOAT\((0x[0-9a-f]+)u\)/g)].map(([, value]) => value).sort();
    expect(bits).toEqual(['0x0', '0x3ff0000000000000', '0x4072c00000000000', '0x8000000000000000']);
    expect(text.match(/= FF_INT\(/g)).toHaveLength(1);
    expect(text.match(/ff_s_zz = FF_ASCII/g)).toHaveLength(1);
    expect(text.match(/= FF_BYTES\(2, "zz"\)/g)).toHaveLength(1);
  });

  test('well-known objects are the interpreter’s own', async () => {
    const text = generate(await unitOf('x = (256, -5, "", "a", "\\xe9", (), b"", b"z", "__init__")\n'));
    if (!layout.staticSingletons) {
      const built = [
        '{FF_BUILD_INT, 256, ',
        '{FF_BUILD_INT, -5, ',
        '{FF_BUILD_STR, -1, ',
        '{FF_BUILD_STR, 97, ',
      ];
      for (const own of [...built, '{FF_BUILD_STR, 233, ', '{FF_BUILD_TUPLE, 0, ', '{FF_BUILD_BYTES, 0, ']) {
        expect(text).toContain(own);
      }
      expect(text).toContain('FF_ASCII(8, "__init__")');
      return;
    }
    for (const own of ['FF_SMALL_INT(256)', 'FF_SMALL_INT(-5)', 'FF_EMPTY_STR', 'FF_ASCII_CHAR(97)']) {
      expect(text).toContain(own);
    }
    for (const own of [
      'FF_LATIN1_CHAR(233)',
      'FF_EMPTY_TUPLE',
      'FF_EMPTY_BYTES',
      'FF_OF_RUNTIME(_Py_ID(__init__))',
    ]) {
      expect(text).toContain(own);
    }
  });

  test('bytes of one byte are not the interpreter’s own, as in a module that marshal reads', async () => {
    const text = generate(await unitOf('x = (b"z", b"zz", b"z")\n'));
    expect(text.match(/= FF_BYTES\(1, "z"\)/g)).toHaveLength(1);
    expect(text).not.toContain('FF_BYTES_CHAR(122)');
  });

  test('the path that is known only at run time is filled in, other file names are kept', async () => {
    expect(generate(await unitOf('x = 1\n'))).toContain('.path = FF_TO(path)');
    const frozen = generate(await unitOf('x = 1\n', '<frozen mod>'));
    expect(frozen).not.toContain('FF_PATH_CAPACITY');
    expect(frozen).toContain('"<frozen mod>"');
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
