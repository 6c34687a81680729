/** Regular expressions that were compiled beforehand: the same objects, whoever looks, and the ordinary way for all others. */
import {cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, printed} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('expressions');

/** Expressions of every kind. What is in OTHERS does more than give a result, or is nobody else's business. */
const MODULE = `import os, re
KNOWN = [
    (r'(?P<year>\\d{4})-(?P<month>\\d\\d)', 0),
    (r'''  (?:a|b)+   # comment
        [^\\s\\-"\\\\]* ''', re.VERBOSE | re.IGNORECASE),
    (b'(GET|HEAD)\\\\s+(?P<target>\\\\S+)', re.DOTALL),
    ('stra\\xdfe|[\\u0391-\\u03a9]+|\\U0001f40d', re.IGNORECASE),
    ('[\\x00-\\x1f]', re.MULTILINE),
    ('', 0),
    ('(((((((((((x)))))))))))\\\\11', re.ASCII),
    ('(?s)(?i:a).', 0),
]
OTHERS = [
    (b'\\\\w+', re.LOCALE),
    ('[[a]', 0),
    ('\\ud800', 0),
    (re.escape(os.getcwd()), 0),
    ('x', re.UNICODE | re.ASCII),
]
def compiled(entries):
    for text, flags in entries:
        try:
            yield re.compile(text, flags)
        except ValueError:
            yield None
PATTERNS = [*compiled(KNOWN), *compiled(OTHERS)]
`;

const pythons = findPythons();
// 3.11 calls functions in a way of its own.
const chosen = pythons.filter(
  (each) => each.series === '3.11' || each === pythons[0] || each === pythons.at(-1),
);

describe.each(chosen.map(({series, python}) => [series, python] as const))('%s', (series, python) => {
  const home = join(folder, series);
  const exe = join(home, 'python');
  const overlay = join(home, 'overlay', 'bin', `python${series}`);
  const trace = ['--trace', '-c "import ff_expressions, string, inspect, pickle"'];

  beforeAll(async () => {
    mkdirSync(home, {recursive: true});
    writeFileSync(join(home, 'ff_expressions.py'), MODULE);
    const make = async (...words: string[]): Promise<void> => {
      const {summary, stderr} = await flashfreezeJson([...words, '--python', python], {cwd: home});
      if (!summary.ok) throw new Error(stderr);
    };
    await make('relink', '--out', exe, ...trace);
    await make('overlay', '--out', join(home, 'overlay'), ...trace);
  });

  const answer = (
    file: string,
    code: string,
    path = home,
    options: readonly string[] = [],
  ): Promise<string> => printed(file, code, {folder: home, path, options});
  const frozen: [string, string][] = [
    ['relink', exe],
    ['overlay', overlay],
  ];

  test.each(frozen)('%s: programs use them, and see what they would have seen', async (_, file) => {
    const look = `import copy, ff_expressions, inspect, pickle, re, types
for each in ff_expressions.PATTERNS:
    if each is not None:
        print(ascii(each.pattern), each.flags, each.groups, list(each.groupindex.items()), ascii(each))
        assert pickle.loads(pickle.dumps(each)) == each
year = ff_expressions.PATTERNS[0].fullmatch('2026-11')
print(year.lastgroup, year.groupdict(), year.expand(r'\\g<month>'))
compile = (getattr(re, '_compiler', None) or re.sre_compile).compile
print(inspect.isfunction(compile), inspect.signature(compile), repr(compile)[:18], type(compile).__name__, len(inspect.getsource(compile)))
print(isinstance(compile, types.FunctionType), pickle.dumps(compile), copy.deepcopy(compile) is copy.copy(compile) is compile)
`;
    expect(await answer(file, look)).toBe(await answer(python, look));
    const used = `import ff_expressions, _flashfreeze
known = {(text, int(flags)) for text, flags in ff_expressions.KNOWN}
others = {(text, int(flags)) for text, flags in ff_expressions.OTHERS}
prepared = set(_flashfreeze.expressions())
print(sorted(map(ascii, known - prepared)), sorted(map(ascii, others & prepared)), _flashfreeze.info()['used_expressions'] >= len(known))
`;
    // An overlay is too late for what .pth files before it import.
    const isEarly = (await answer(python, `import sys; print('re' in sys.modules)`)) === 'True';
    expect(await answer(file, used)).toBe(`[] [] ${file === overlay && isEarly ? 'False' : 'True'}`);
  });

  test.each(frozen)('%s: every one equals what its interpreter compiles', async (_, file) => {
    const {summary, stderr} = await flashfreezeJson(['verify', '--images', file], {cwd: home});
    expect({ok: summary.ok, stderr}).toMatchObject({ok: true});
  });

  const COUNT = `import _flashfreeze, re
compiler = getattr(re, '_compiler', None) or re.sre_compile
parser = getattr(re, '_parser', None) or re.sre_parse
def used(action):
    before = _flashfreeze.info()['used_expressions']
    action()
    return _flashfreeze.info()['used_expressions'] - before
text, flags = next(each for each in _flashfreeze.expressions() if type(each[0]) is str)
known = lambda: compiler.compile(text, flags)
`;

  test('they are compiled the ordinary way while tracing, or if a part of `re` is replaced', async () => {
    const code = `${COUNT}
import sys
class Text(str):
    pass
calls = []
print(used(known), used(lambda: compiler.compile(p=text, flags=flags)), used(lambda: compiler.compile(Text(text), flags)))
sys.settrace(lambda frame, *rest: calls.append(frame.f_code.co_name))
traced = used(known)
sys.settrace(None)
print(traced, 'compile' in calls and 'parse' in calls)
parse = parser.parse
parser.parse = lambda *arguments: parse('(other)', 0)
print(used(known), known().match('other') is not None)
parser.parse = parse
print(used(known))
fresh = __import__('importlib').reload(compiler)
print(used(known))
`;
    expect((await answer(exe, code)).split('\n')).toEqual(['1 0 0', '0 True', '0 True', '1', '0']);
  });

  test('every part of `re` counts, and those that are put back', async () => {
    const code = `${COUNT}
import contextlib
@contextlib.contextmanager
def replaced(owner, name, value):
    had, old = name in vars(owner), vars(owner).get(name)
    setattr(owner, name, value)
    yield
    setattr(owner, name, old) if had else delattr(owner, name)
@contextlib.contextmanager
def added(table, key):
    table[key] = None
    yield
    del table[key]
@contextlib.contextmanager
def with_other(function, attribute, value):
    old = getattr(function, attribute)
    setattr(function, attribute, value(old))
    yield
    setattr(function, attribute, old)
wrapped = lambda function: lambda *arguments, **keywords: function(*arguments, **keywords)
changes = [
    *(replaced(compiler, name, wrapped(getattr(compiler, name))) for name in ('_compile', '_code', '_optimize_charset', 'isstring')),
    *(replaced(parser, name, wrapped(getattr(parser, name))) for name in ('_parse', '_parse_sub', 'parse')),
    replaced(parser.Tokenizer, 'get', wrapped(parser.Tokenizer.get)),
    replaced(parser.SubPattern, 'noticed', None),
    replaced(compiler, 'len', wrapped(len)),
    replaced(compiler, 'SRE_FLAG_IGNORECASE', 1024),
    added(parser.ESCAPES, r'\\h'),
    with_other(parser._parse, '__code__', lambda code: code.replace(co_name='other')),
    with_other(compiler.compile, '__defaults__', lambda defaults: (*defaults,)[:0] + (int('0'),)),
]
print(used(known))
for change in changes:
    with change:
        print(used(known), end=' ')
    print(used(known))
`;
    const [first, ...others] = (await answer(exe, code)).split('\n');
    expect(first).toBe('1');
    expect(others).toEqual(Array.from({length: 14}, () => '0 1'));
  });

  test.each(frozen)('%s: in development mode, those of bytes import what decodes them', async (_, file) => {
    const code = `import ff_expressions, sys; print('encodings.latin_1' in sys.modules)`;
    const options = ['-X', 'dev'];
    expect(await answer(file, code, home, options)).toBe('True');
    expect(await answer(python, code, home, options)).toBe('True');
    expect(await answer(file, code)).toBe('False');
  });

  test('another `re` earlier on the path compiles them itself', async () => {
    const library = (await answer(python, 'import os; print(os.path.dirname(os.__file__))')).trim();
    const other = join(home, 'other');
    mkdirSync(other, {recursive: true});
    const names = series === '3.10' ? ['sre_parse.py'] : ['re'];
    for (const name of names) cpSync(join(library, name), join(other, name), {recursive: true});
    const code = `import ff_expressions, _flashfreeze; print(_flashfreeze.info()['used_expressions'])`;
    expect(await answer(exe, code, `${other}:${home}`)).toBe('0');
  });

  test('the option disables them', async () => {
    const {summary, stderr} = await flashfreezeJson(
      ['relink', '--python', python, '--out', join(home, 'without'), '--expressions=false', ...trace],
      {cwd: home},
    );
    if (!summary.ok) throw new Error(stderr);
    const code = `import ff_expressions, _flashfreeze; print(_flashfreeze.expressions())`;
    expect(await answer(join(home, 'without'), code)).toBe('[]');
  });
});
