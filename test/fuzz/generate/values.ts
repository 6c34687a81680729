/** Statements that only make values, functions and classes: what an image is made of. */
import type {Chance} from '../../support/random.js';
import {oneIn, pick} from './world.js';

const ATOMS = [
  ...[
    'None',
    'True',
    '...',
    '0',
    '-1',
    '255',
    '257',
    '2**70',
    '-5 * 10**30',
    '1.5',
    '-0.0',
    '0.0',
    '1e999',
    '1e999 - 1e999',
  ],
  ...[
    '1e-320',
    '3j',
    '-0j',
    '1e999j',
    "'name'",
    "'two words'",
    "''",
    "'x'",
    "'é'",
    "'\\udc80'",
    "'\\U0001f40d'",
    "'\\0'",
    "b''",
  ],
  ...[
    "b'bytes'",
    "b'\\xff\\0'",
    "'a' * 50",
    '()',
    '(1, 1.0, True)',
    '(0.0, -0.0)',
    "('name', b'name')",
    '((1,), (1.0,), (True,))',
  ],
  ...[
    '(None, ...)',
    "('a', ('b', ('c', ('d',))))",
    '1 in {1, 2, 3}',
    "'name' in {'name', 'b', 3, b'x', (1, 2), 1.5}",
  ],
  ...[
    '[1, 2, 3]',
    "{'k': 1, 'l': (1, 2)}",
    '[1, 2, 3, 4, 5][1:3]',
    '{*()}',
    '(1e999 - 1e999, 1e999 - 1e999)',
    "f'{1!r:>3}'",
  ],
  ...[
    'lambda: (yield)',
    '[x for x in (1, 2, 3)]',
    "(y := 'walrus')",
    '__debug__',
    "id(__import__('sys').intern('in' + 'terned')) == id('interned')",
  ],
] as const;

export function valueStatement(chance: Chance, number: number): string {
  return `value_${number} = (${pick(chance, ATOMS)}, ${pick(chance, ATOMS)})`;
}

const FUNCTIONS = [
  (n: string, a: string, b: string) =>
    `def ${n}(a=${a}, *args, k: 'note' = 1, **kw):\n    "doc of it"\n    return a, args, ${b}, __name__`,
  (n: string, a: string, b: string) =>
    `def ${n}():\n    x = ${a}\n    def inner(y=x):\n        return x, y, ${b}\n    return inner()`,
  (n: string, a: string) =>
    `def ${n}():\n    try:\n        raise ValueError(${a})\n    except (KeyError, TypeError):\n        pass\n    finally:\n        del globals()['__nothing__']`,
  (n: string, a: string, b: string) => `def ${n}(p, /, q=${a}):\n    yield p\n    yield from (${b},)`,
  (n: string, a: string) =>
    `async def ${n}():\n    async with x as y:\n        await y\n    return [z async for z in y if z != ${a}]`,
  (n: string, a: string, b: string) =>
    `class C_${n}:\n    "doc"\n    __slots__ = ('s',)\n    def ${n}(self, v=${a}):\n        return super(), __class__, ${b}\n    @staticmethod\n    def other(): return C_${n}`,
  (n: string, a: string) =>
    `def ${n}(x=${a}):\n    match x:\n        case {'k': v, **r}: return v\n        case [1, *_] | (2, _): return 2\n        case str(): return 3\n    return None`,
  (n: string, a: string, b: string) =>
    `def ${n}(x=0):\n    for i in range(3):\n        if x: continue\n        x = (${a}, ${b}, i)\n    else:\n        x = x, 'else'\n    return x`,
  (n: string) =>
    `def ${n}():\n    import sys\n    f = sys._getframe()\n    return f.f_code.co_filename, f.f_lineno, f.f_back is not None`,
  (n: string, a: string) =>
    `@__import__('functools').wraps(len)\ndef ${n}():\n    return eval('${a === '__debug__' ? '1' : '(1, 2)'}')`,
  (n: string, a: string) => `def ${n}[T](x: T = ${a}) -> T:\n    type A = T\n    return x`,
  (n: string) => `def ${n}():\n    return {f'{k}': v for k, v in zip('abc', (1, 2.0, b''))}, __file__`,
] as const;

export function functionStatement(chance: Chance, number: number): string {
  // Type parameters are an error of syntax before 3.12, which is wanted rarely.
  const make = oneIn(chance, 30)
    ? FUNCTIONS[10]
    : pick(
        chance,
        FUNCTIONS.filter((_, at) => at !== 10),
      );
  const name = `${pick(chance, ['call', 'call', 'plain'])}_${number}`;
  return make(name, pick(chance, ATOMS.slice(0, 30)), pick(chance, ATOMS.slice(0, 30)));
}
