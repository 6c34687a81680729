import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals';
import {scriptPath} from '../../../../src/cpython/interpreter/scripts.js';
import {
  type CompileProblem,
  requestLine,
  startWorkers,
  type Workers,
} from '../../../../src/cpython/interpreter/worker.js';
import {MOST_BYTES} from '../../../../src/marshal/reader.js';
import {findPythons, type FoundPython} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

/** Reads a code unit in the Python that wrote it, and tells about it in JSON. */
const INSPECT = `
import json, marshal, sys
dumped, prepared = marshal.loads(open(sys.argv[1], "rb").read())
code = marshal.loads(dumped)
def tree(code):
    pending = [code]
    while pending:
        code = pending.pop()
        yield code
        pending.extend(each for each in reversed(code.co_consts) if hasattr(each, "co_consts"))
codes = list(tree(code))
reference = compile(open(sys.argv[2], "rb").read(), code.co_filename, "exec", dont_inherit=True)
print(json.dumps({
    "filename": code.co_filename,
    "names": [each.co_name for each in codes],
    "prepared": prepared and [len(each) for each in prepared],
    "lengths": [len(each.co_code) for each in codes],
    "imports": open(sys.argv[1] + ".imports", encoding="utf-8").read().splitlines(),
    "asCompiled": marshal.dumps(code, 2) == marshal.dumps(reference, 2),
}))
`;
interface Inspection {
  readonly filename: string;
  readonly names: readonly string[];
  readonly prepared: readonly number[] | null;
  readonly lengths: readonly number[];
  readonly imports: readonly string[];
  readonly asCompiled: boolean;
}

/** The result of a source that compiles. */
const COMPILED = {ok: true, value: undefined};

function problemOf(result: Awaited<ReturnType<Workers['compile']>>): CompileProblem {
  if (!result.ok || result.value === undefined) throw new Error(`no problem: ${JSON.stringify(result)}`);
  return result.value;
}

const folder = temporaryDirectory('test');
let serial = 0;
function place(content: string | Uint8Array): {source: string; output: string; importsOutput: string} {
  serial += 1;
  const source = join(folder, `module${serial}.py`);
  writeFileSync(source, content);
  const output = join(folder, `unit${serial}`);
  return {source, output, importsOutput: `${output}.imports`};
}

describe.each(findPythons().map((found) => [found.series, found] as const))('Python %s', (series, found) => {
  let workers: Workers;
  beforeAll(() => {
    workers = startWorkers({...found, count: 1});
  });
  afterAll(() => workers.stop());
  const compile = (content: string | Uint8Array, on = workers) => {
    const places = place(content);
    return on
      .compile({...places, filename: 'some/module.py', optimize: 0})
      .then((result) => ({...places, result, bytes: () => readFileSync(places.output)}));
  };
  const inspect = (places: {source: string; output: string}) =>
    JSON.parse(
      execFileSync(found.python, ['-S', '-W', 'ignore', '-c', INSPECT, places.output, places.source], {
        encoding: 'utf8',
      }),
    ) as Inspection;

  test('writes a code unit: code, prepared bytecode in pre-order, imported names', async () => {
    const text = [
      'import os.path, zlib as z',
      'from collections import OrderedDict, abc',
      'from . import sibling',
      'def outer():',
      '    def inner(): from deep import down',
      '    return inner, lambda: 0',
      'class C: pass',
    ].join('\n');
    const done = await compile(text);
    expect(done.result).toEqual(COMPILED);
    const unit = inspect(done);
    expect(unit.filename).toBe('some/module.py');
    expect(unit.names).toEqual(['<module>', 'outer', 'inner', '<lambda>', 'C']);
    expect(unit.prepared).toEqual(series === '3.10' ? null : unit.lengths);
    const names = ['.:sibling', 'collections:OrderedDict', 'collections:abc', 'deep:down', 'os.path', 'zlib'];
    expect(unit.imports).toEqual(names);
    expect(unit.asCompiled).toBe(true);
  });

  test('compiles what is nested deeper than Python functions can call each other', async () => {
    const chain = Array.from(
      {length: 3000},
      (_, i) => `${i === 0 ? 'if' : 'elif'} x == ${i}:\n    import m${i}\n`,
    );
    const places = await compile(`x = 1\n${chain.join('')}`);
    const code = 'compile(open(__import__("sys").argv[1]).read(), "x", "exec")';
    const plain = spawnSync(found.python, ['-S', '-c', code, places.source]);
    // Some versions refuse this depth themselves, and then so do we.
    expect(places.result.ok && places.result.value === undefined).toBe(plain.status === 0);
    const lambdas = await compile(`f = ${'lambda: '.repeat(900)}0\n`);
    expect(lambdas.result).toEqual(COMPILED);
    expect(inspect(lambdas).names).toHaveLength(901);
    const sum = await compile(`import one, two\nx = ${'1 + y + '.repeat(400)}1\n`);
    expect(sum.result).toEqual(COMPILED);
    expect(inspect(sum).imports).toEqual(['one', 'two']);
  });

  test('finds import statements wherever statements can be', async () => {
    const text = [
      'try: import a',
      'except ImportError:',
      '    with x: import b',
      'else:',
      '    for i in y:',
      '        while z: from .c import d as e',
      '        else: import f.g',
      'finally:',
      '    if 1: pass',
      '    elif 2: from .. import *',
      'class C:',
      '    async def m(self): from h import (i, j)',
      'match x:',
      '    case 1: import k',
    ].join('\n');
    const done = await compile(text);
    expect(inspect(done).imports).toEqual(['..:*', '.c:d', 'a', 'b', 'f.g', 'h:i', 'h:j', 'k']);
  });

  test('does not depend on the library that it compiles: only its own helper is loaded from disk after the start', async () => {
    const code =
      'import sys; before = set(sys.modules); exec(open(sys.argv[1]).read().replace("\\nmain()\\n", "\\n"), {"__name__": "worker", "__file__": sys.argv[1]}); ' +
      'print(sorted(m for m in set(sys.modules) - before if getattr(sys.modules[m], "__file__", None)))';
    const loaded = execFileSync(found.python, ['-s', '-S', '-c', code, scriptPath('compile_modules.py')], {
      encoding: 'utf8',
    });
    expect(loaded.trim()).toBe("['reproducible_marshal']");
    expect(problemOf((await compile('def broken(:\n')).result).type).toBe('SyntaxError');
  });

  test.each([
    ['a latin-1 cookie', Buffer.from('# -*- coding: latin-1 -*-\nx = "\xe9"\n', 'latin1')],
    ['a byte order mark', Buffer.from('\ufeffx = "é"\n')],
    ['CRLF line ends', Buffer.from('if True:\r\n    x = """a\r\nb"""\r\n')],
    ['a form feed', Buffer.from('x = 1\n\f\ndef f():\n\f    return x\n')],
    ['no line end at the end', Buffer.from('def f(): return 1')],
    ['nothing at all', Buffer.from('')],
    ['lone surrogates and nul characters in strings', Buffer.from('x = "\\ud800\\0", b"\\0"\n')],
    [
      'a frozenset, nan, -0.0, a huge integer',
      Buffer.from('f = lambda x: x in {1e400 - 1e400, -0.0, "a", 10**200}\n'),
    ],
    [
      '8,000 lines',
      Buffer.from(
        Array.from({length: 800}, (_, n) => `def f${n}(x): return x + ${n}${'\n'.repeat(10)}`).join(''),
      ),
    ],
  ])('compiles a source with %s as Python does', async (_name, bytes) => {
    const done = await compile(bytes);
    expect(done.result).toEqual(COMPILED);
    expect(inspect(done).asCompiled).toBe(true);
  });

  test('keeps warnings out of the protocol', async () => {
    const done = await compile('x = "\\d"\nassert (x, "always true")\nprint(x is 1)\n');
    expect(done.result).toEqual(COMPILED);
  });

  test('reports a syntax error with Python’s message and the real file', async () => {
    const {result, source} = await compile('def f():\n    return (1 +\n\nx = = 2\n');
    const details = problemOf(result).text;
    expect(details).toContain(`File "${source}", line 2`);
    expect(details).toMatch(/^ {4}return \(1 \+\n {11}\^/m);
    expect(details).toMatch(/^SyntaxError: /m);
    expect(details).not.toContain('some/module.py');
  });

  test('reports an error that only the symbol table finds, with its line', async () => {
    const {result} = await compile('def f():\n    x = 1\n    global x\n');
    expect(problemOf(result)).toEqual({
      type: 'SyntaxError',
      text: expect.stringMatching(/line 3\n {4}global x/),
    });
  });

  test.each([
    ['null bytes', 'x = 1\0\n', /null bytes/],
    ['an unknown encoding', '# coding: no-such-codec\n', /unknown encoding|encoding problem/],
    ['bytes that are not UTF-8', Buffer.from([0x78, 0x3d, 0x22, 0xff, 0x22]), /utf-8|UTF-8/],
    ['wrong indentation', 'if 1:\n  x\n y\n', /IndentationError/],
    [
      'too many parentheses',
      `${'('.repeat(5000)}1${')'.repeat(5000)}`,
      /too many nested|too deeply|Memory|Recursion/,
    ],
  ])('reports %s and names the file', async (_name, content, message) => {
    const {result, source} = await compile(content);
    expect(problemOf(result).text).toMatch(message);
    expect(problemOf(result).text).toContain(source);
  });

  test('does not quote a line that fills a screen', async () => {
    const {result} = await compile(`x = [${'1, '.repeat(200_000)}\n`);
    expect(problemOf(result).text.length).toBeLessThan(1000);
    expect(problemOf(result).text).toMatch(/line 1\n[^\n]*SyntaxError: /);
  });

  test('files that cannot be read or written are no problem of the source; goes on', async () => {
    const missing = {...place('x = 1\n'), source: join(folder, 'nowhere.py')};
    const message = expect.stringContaining(missing.source);
    const rest = {filename: 'x.py', optimize: 0} as const;
    expect(await workers.compile({...missing, ...rest})).toMatchObject({
      ok: false,
      failure: {code: 'IO', message},
    });
    for (const name of ['output', 'importsOutput'] as const) {
      const unwritable = {...place('import os\n'), [name]: '/dev/full'};
      expect(await workers.compile({...unwritable, ...rest})).toMatchObject({
        ok: false,
        failure: {
          code: 'COMPILE',
          message: expect.stringMatching(/cannot write the code of .*No space left/),
        },
      });
    }
    expect((await compile('x = 1\n')).result).toEqual(COMPILED);
  });

  test('optimize drops asserts and docstrings', async () => {
    const text = '"""doc"""\ndef f(): assert 0\n';
    const plain = await compile(text);
    const places = place(text);
    const optimized = await workers.compile({...places, filename: 'some/module.py', optimize: 2});
    expect(optimized.ok).toBe(true);
    expect(readFileSync(places.output).length).toBeLessThan(plain.bytes().length);
  });

  test('the same source gives the same bytes in another worker, after other sources', async () => {
    const sources = [
      'import os\ndef f(a, b=("x", 1.5)):\n    "doc"\n    return [os for os in a if os in {"p", "q"}]\n',
      'x = ("x", 1.5, "p", "q", "doc")\nclass K:\n    def m(self): return super().m()\n',
      'async def g():\n    async with a as b:\n        match b:\n            case {"p": 1}: yield b\n',
    ];
    const first: Buffer[] = [];
    for (const text of sources) first.push((await compile(text)).bytes());
    const others = startWorkers({...found, count: 2});
    const second = await Promise.all(sources.toReversed().map((text) => compile(text, others)));
    await others.stop();
    expect(
      second.reverse().map((done) => done.bytes().equals(first[second.indexOf(done)] ?? Buffer.alloc(0))),
    ).toEqual([true, true, true]);
  });
});

test.each(
  findPythons()
    .filter(({series}) => series !== '3.10') // writes the members of a set in the order of their hashes
    .map((found) => [found.series, found] as const),
)('Python %s: the hash seed leaves no trace in a code unit', (_series, found) => {
  const places = place('def f(x, *, y=("b", "a")): return x in {"a", "b", "c", b"d"}, {"k": 1, "l": 2}\n');
  const units = ['0', '1', '4711'].map((seed) => {
    const input = requestLine({id: 1, request: {...places, filename: 'x.py', optimize: 0}});
    execFileSync(found.python, ['-s', '-S', '-B', scriptPath('compile_modules.py')], {
      input,
      env: {PYTHONHASHSEED: seed},
      stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
    });
    return readFileSync(places.output, 'hex');
  });
  expect(new Set(units).size).toBe(1);
});

test.each(
  [findPythons().at(0), findPythons().at(-1)].flatMap((found) =>
    [MOST_BYTES - 200, MOST_BYTES + 1].map((size) => [found?.series, size, found] as const),
  ),
)(
  'Python %s: a unit for %d bytes of text fits into the reader, or is refused',
  async (_series, size, found) => {
    if (found === undefined) throw new Error('no Python');
    const workers = startWorkers({...found, count: 1});
    const {output, ...places} = place(`x = "${'a'.repeat(size)}"\n`);
    const result = await workers.compile({...places, output, filename: 'x.py', optimize: 0});
    await workers.stop();
    if (size < MOST_BYTES) {
      expect(result).toEqual(COMPILED);
      expect(readFileSync(output).length).toBeLessThanOrEqual(MOST_BYTES);
    } else {
      expect(problemOf(result)).toEqual({
        type: 'TooLarge',
        text: expect.stringMatching(new RegExp(`its code has \\d{8} bytes, .* at most ${MOST_BYTES}$`)),
      });
    }
  },
);

describe('workers', () => {
  const [found] = findPythons().slice(-1) as [FoundPython];
  let workers: Workers | undefined;
  afterEach(() => workers?.stop());

  test('respond to many concurrent requests', async () => {
    const pool = (workers = startWorkers({...found, count: 3}));
    const results = await Promise.all(
      Array.from({length: 40}, (_, index) => {
        const text = `x = ${index}\n`;
        return pool.compile({...place(text), filename: 'x.py', optimize: 0}).then((result) => result.ok);
      }),
    );
    expect(results).toEqual(Array.from({length: 40}, () => true));
  });

  test('fail when there is no such Python', async () => {
    workers = startWorkers({...found, python: '/nowhere/python3', count: 2});
    const result = await workers.compile({...place(''), filename: 'x.py', optimize: 0});
    expect(result).toMatchObject({
      ok: false,
      failure: {code: 'COMPILE', message: expect.stringContaining('ENOENT')},
    });
  });

  test('a worker that dies fails only its request, with its output', async () => {
    const dying = join(folder, 'dying-python');
    // Dies at its first request, and hands over to the real one from then on.
    const mark = join(folder, 'died');
    const script = `#!/bin/sh\nif [ ! -e ${mark} ]; then read line; : > ${mark}; echo last words >&2; kill -9 $$; fi\nexec ${found.python} "$@"\n`;
    writeFileSync(dying, script, {mode: 0o755});
    workers = startWorkers({...found, python: dying, count: 1});
    const pool = workers;
    const requests = [place('x = 1\n'), place('y = 2\n')].map((places) =>
      pool.compile({...places, filename: 'x.py', optimize: 0}),
    );
    const [first, second] = await Promise.all(requests);
    expect(first).toMatchObject({
      ok: false,
      failure: {code: 'COMPILE', message: expect.stringContaining('SIGKILL'), details: 'last words\n'},
    });
    expect(second).toEqual(COMPILED);
  });

  test.each([1, 2])(
    'after %d crashes on a source: a second process tries it, a third one the next',
    async (crashes) => {
      const crashing = join(folder, `crashing-${crashes}`);
      const marks = join(folder, `crashes-${crashes}`);
      const script = `#!/bin/sh\nif [ "$(cat ${marks} 2>/dev/null | wc -l)" -lt ${crashes} ]; then read line; echo >> ${marks}; echo last words >&2; kill -SEGV $$; fi\nexec ${found.python} "$@"\n`;
      writeFileSync(crashing, script, {mode: 0o755});
      workers = startWorkers({...found, python: crashing, count: 1});
      const pool = workers;
      const [first, second] = await Promise.all(
        [place('x = 1\n'), place('y = 2\n')].map((places) =>
          pool.compile({...places, filename: 'x.py', optimize: 0}),
        ),
      );
      const crash = {ok: true, value: {type: 'crash', text: 'the compiler crashed (SIGSEGV)\nlast words'}};
      expect(first).toEqual(crashes === 1 ? COMPILED : crash);
      expect(second).toEqual(COMPILED);
    },
  );

  test('an abort ends them, and all requests with them', async () => {
    const controller = new AbortController();
    workers = startWorkers({...found, signal: controller.signal, count: 1});
    const pool = workers;
    const pending = Array.from({length: 5}, () =>
      pool.compile({...place('x = 1\n'), filename: 'x.py', optimize: 0}),
    );
    controller.abort();
    for (const result of await Promise.all(pending)) {
      expect(result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    }
    expect(await pool.compile({...place(''), filename: 'x.py', optimize: 0})).toMatchObject({
      ok: false,
      failure: {code: 'INTERRUPTED'},
    });
  });
});
