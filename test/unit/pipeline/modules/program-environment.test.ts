import {expect, test} from '@jest/globals';
import {
  environmentDigest,
  lookUpEnvironment,
  programEnvironment,
} from '../../../../src/pipeline/modules/program-environment.js';

const {signal} = new AbortController();
const interpreter = {
  python: '/usr/bin/python3',
  environment: {
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    PYTHONHASHSEED: '0',
    SOURCE_DATE_EPOCH: '1',
    LD_LIBRARY_PATH: '/build',
  },
  signal,
};

test("a program has all of the user's variables, and what the interpreter needs to start", () => {
  const user = {
    HOME: '/home',
    LC_ALL: 'de_DE.UTF-8',
    SHOP: 'x',
    PYTHONPATH: '/lib',
    PYTHONHASHSEED: '12',
    NO: undefined,
  };
  expect(programEnvironment(interpreter, user)).toEqual({
    environment: {
      ...{HOME: '/home', LC_ALL: 'de_DE.UTF-8', SHOP: 'x', PYTHONPATH: '/lib'},
      ...{PYTHONHASHSEED: '0', LD_LIBRARY_PATH: '/build'},
    },
    hashSeed: '12',
  });
  expect(programEnvironment(interpreter, {}).hashSeed).toBeUndefined();
});

test('modules are looked up with the variables of the user, and the fixed ones of helpers', () => {
  const user = {
    PYTHONPATH: '/lib',
    SHOP: 'x',
    LC_ALL: 'POSIX',
    PYTHONHASHSEED: 'random',
    LD_LIBRARY_PATH: '/own',
  };
  expect(lookUpEnvironment(interpreter, user)).toEqual({
    ...interpreter.environment,
    ...{PYTHONPATH: '/lib', SHOP: 'x'},
  });
});

test('the jobserver of a make above is not passed on, because its descriptors are not', () => {
  const below = {MAKEFLAGS: ' -j --jobserver-auth=3,4', MAKELEVEL: '1', MFLAGS: '-j'};
  expect(Object.keys(programEnvironment(interpreter, below).environment)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^M/)]),
  );
  expect(programEnvironment(interpreter, {MAKEFLAGS: '-j4'}).environment).toMatchObject({MAKEFLAGS: '-j4'});
});

test('the digest depends on what was read, and on what Python reads when it starts', () => {
  const user = {PATH: '/bin', SHOP: 'full', TERM: 'xterm', PWD: '/a'};
  const digest = environmentDigest(['SHOP', 'ABSENT'], user);
  const changes = (
    change: Record<string, string | undefined>,
    read: (string | null)[] = ['SHOP', 'ABSENT'],
  ): boolean => environmentDigest(read, {...user, ...change}) !== environmentDigest(read, user);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect([changes({SHOP: 'small'}), changes({SHOP: undefined}), changes({ABSENT: ''})]).toEqual([
    true,
    true,
    true,
  ]);
  expect([changes({PYTHONPATH: '/x'}), changes({LANG: 'C'}), changes({HOME: '/h'})]).toEqual([
    true,
    true,
    true,
  ]);
  expect([changes({TERM: 'dumb'}), changes({PWD: '/b'}), changes({OTHER: '1'})]).toEqual([
    false,
    false,
    false,
  ]);
  expect([
    changes({TERM: 'dumb'}, [null]),
    changes({OTHER: '1'}, [null]),
    changes({PWD: '/b'}, [null]),
  ]).toEqual([...[true, true, false]]);
  expect(changes({PWD: '/b'}, ['PWD'])).toBe(true);
});

test.each([
  ...[
    'PYTHONPATH',
    'PYTHONHOME',
    'PYTHONSAFEPATH',
    'PYTHONNOUSERSITE',
    'PYTHONUSERBASE',
    'PYTHONPLATLIBDIR',
    'PYTHONOPTIMIZE',
  ],
  ...[
    'PYTHONUTF8',
    'PYTHONCASEOK',
    'PYTHONSTARTUP',
    'PYTHONWARNINGS',
    'PYTHONHASHSEED',
    'PYTHONIOENCODING',
    'PYTHONDEVMODE',
  ],
  ...[
    'VIRTUAL_ENV',
    'LD_LIBRARY_PATH',
    'LD_PRELOAD',
    'LC_ALL',
    'LC_CTYPE',
    'LANG',
    'LANGUAGE',
    'TZ',
    'HOME',
    'FLASHFREEZE',
  ],
])('%s counts although no program reads it: set, empty, another, not set', (name) => {
  const values = [undefined, '', 'x', 'y'].map((value) =>
    environmentDigest([], {PATH: '/bin', [name]: value}),
  );
  expect(new Set(values).size).toBe(values.length);
});

test.each(['TERM', 'SHLVL', 'OLDPWD', '_', 'MAKEFLAGS', 'XPYTHONPATH', 'MY_LC_ALL', 'LANGUAGES', 'HOMEPAGE'])(
  '%s does not count unless a program reads it',
  (name) => {
    expect(environmentDigest([], {[name]: 'x'})).toBe(environmentDigest([], {}));
    expect(environmentDigest([name], {[name]: 'x'})).not.toBe(environmentDigest([name], {}));
  },
);

test('a variable and its value are not mistaken for another pair', () => {
  const of = (user: Record<string, string>) => environmentDigest([null], user);
  expect(of({A: 'b=c', D: ''})).not.toBe(of({'A=b': 'c', D: ''}));
  expect(of({A: '1\nB=2'})).not.toBe(of({A: '1', B: '2'}));
  expect(of({A: '1', B: '2'})).toBe(of({B: '2', A: '1'}));
});
