/** What compares images with fresh code, in each Python: constants and code that are nested deep, and what has to differ. */
import {execFileSync} from 'node:child_process';
import {dirname} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {scriptPath} from '../../../../src/cpython/interpreter/scripts.js';
import {findPythons} from '../../../../support/pythons.js';

const folder = dirname(scriptPath('try_images.py'));

/** Constants that are equal, or look alike, and differ. */
const DIFFERENT = {
  'one type': ['1', '1.0'],
  'the sign of zero': ['0.0', '-0.0'],
  'a bool': ['(True,)', '(1,)'],
  'how tuples are nested': ['((1, 2), 3)', '(1, (2, 3))'],
  'empty tuples': ['((), 1)', '((1,),)'],
  'members of a set': ['frozenset([(1, frozenset([2]))])', 'frozenset([(1, frozenset([3]))])'],
  'a set in its place': ['(frozenset([1]), 2)', '(2, frozenset([1]))'],
  'the bits of a nan': ['nan', 'other_nan'],
  'a slice': ['slice(1, 2, 3)', '(1, 2, 3)'],
};

/** Two values as marshal data, and whether they are equal. */
const MARSHALLED = {
  references: ['("aa", "aa", b"x")', 'one, 2', true],
  'the order of a set': ['frozenset([0, 8, 16])', 'frozenset([16, 8, 0])', true],
  'another value': ['(1 << 70, 1.5)', '(1 << 71, 1.5)', false],
  'another type': ['(1,)', '(True,)', false],
  'another nesting': ['((1,), 2)', '(1, (2,))', false],
} as const;

describe.each(findPythons())('Python $series', ({python}) => {
  /** The value of an expression, which may use the functions of the scripts. */
  const evaluate = (expression: string, setUp = ''): unknown => {
    const lines = [
      'import sys, json, marshal',
      'sys.path.insert(0, sys.argv[1])',
      'from exact_constants import *; from marshal_graph import *',
      'nan = float("nan"); other_nan = -nan',
      'def nested(depth, core, wrap=lambda x: (0, x)):\n    for _ in range(depth): core = wrap(core)\n    return core',
      'def lambdas(depth, core): return compile("f = " + "lambda: " * depth + core, "x", "exec")',
      setUp,
      `print(json.dumps(${expression}))`,
    ];
    return JSON.parse(
      execFileSync(python, ['-I', '-B', '-c', lines.join('\n'), folder], {encoding: 'utf8'}),
    ) as unknown;
  };

  test('keys of constants tell apart what differs', () => {
    const pairs = Object.values(DIFFERENT).map(
      ([one, other]) => `exact(${one}) == exact(${other}), exact(${one}) == exact(${one})`,
    );
    expect(evaluate(`[${pairs.map((pair) => `[${pair}]`).join(', ')}]`)).toEqual(
      pairs.map(() => [false, true]),
    );
  });

  test('the order of a set does not matter', () => {
    expect(evaluate('exact(frozenset([0, 8, (16,)])) == exact(frozenset([(16,), 8, 0]))')).toBe(true);
  });

  test.each(['lambda x: (0, x)', 'lambda x: (x, 0)'])(
    'constants may be nested deeper than Python calls: %s',
    (wrap) => {
      const depth = 3000;
      const pair = (one: string, other: string): string =>
        `exact(nested(${depth}, ${one}, ${wrap})) == exact(nested(${depth}, ${other}, ${wrap}))`;
      expect(evaluate(`[${pair('1', '1')}, ${pair('1', 'True')}]`)).toEqual([true, false]);
      expect(evaluate(`broken_members(nested(${depth}, 1, ${wrap}))`)).toEqual([]);
    },
  );

  test('code may be nested as deep as marshal writes it', () => {
    const alike = (one: string, other: string): string =>
      `Graph(marshal.dumps(lambdas(900, ${one})), n).read() == Graph(marshal.dumps(lambdas(900, ${other})), n).read()`;
    expect(evaluate(`[${alike('"1"', '"1"')}, ${alike('"1"', '"2"')}]`, 'n = {}')).toEqual([true, false]);
    expect(evaluate('are_equal(lambdas(900, "1"), lambdas(900, "1"))')).toBeNull();
    expect(evaluate('[are_equal(lambdas(6, "1"), lambdas(6, other)) for other in ("1", "2")]')).toEqual([
      true,
      false,
    ]);
  });

  test('an int of ten million digits is compared and shown by linear work', () => {
    // Computed from its digits one by one, or shown as decimal text, it would take hours.
    const huge = '(int.from_bytes(b"\\xa5" * 5_000_000, "little"),)';
    expect(
      evaluate(
        '[Graph(marshal.dumps(one), n).read() == Graph(marshal.dumps(other), n).read() for other in (again, more, less)]',
        `n = {}; one, again = ${huge}, ${huge}; more = (one[0] + 1,); less = (-one[0],)`,
      ),
    ).toEqual([true, false, false]);
    expect(evaluate('[shown(huge), shown({"x": 1}.get("y"))]', `huge = ${huge}`)).toEqual([
      '(an int of 40000000 bits,)',
      'None',
    ]);
  });

  test('constants are shown as Python shows them, cut short', () => {
    const values = '[(), (1,), (1, "a", b"b"), ((), (1.5, ...)), frozenset([2]), -7, 1 << 990]';
    expect(evaluate(`[[shown(each), repr(each)] for each in ${values}]`)).toEqual(
      (evaluate(`[repr(each) for each in ${values}]`) as string[]).map((text) => [text, text]),
    );
    expect(evaluate('[len(shown(each)) for each in ("x" * 9999, nested(9999, 1), (5,) * 9999)]')).toEqual([
      400, 400, 400,
    ]);
  });

  test('marshal data is compared by what it says, not by how', () => {
    const rows = Object.values(MARSHALLED);
    const checks = rows.map(
      ([one, other]) =>
        `(lambda one: Graph(marshal.dumps(one), n).read() == Graph(marshal.dumps(${other}), n).read())(${one})`,
    );
    expect(evaluate(`[${checks.join(', ')}]`, 'n = {}')).toEqual(rows.map(([, , equal]) => equal));
  });
});
