import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {type BuiltPython, toolchainOfBuild} from '../../../../src/hosts/source/built-python.js';
import type {Artifact} from '../../../../src/model/action.js';
import {digestOf} from '../../../../src/model/digest.js';
import {fakeToolchain} from '../../../support/fake-toolchain.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
let built: BuiltPython;
const at = (name: string): string => join(folder, name);
const input = (name: string, text = name): Artifact => ({name, path: at(name), digest: digestOf(text)});
beforeEach(() => {
  folder = temporaryDirectory();
  const {target, interpreter, layout, cc} = fakeToolchain(folder);
  built = {
    source: at('source'),
    folder: at('build'),
    target,
    interpreter,
    inputs: ['Include/Python.h', 'Python/ceval.c', 'Modules/_ssl.c', 'pyconfig.h'].map((name) => input(name)),
    layout,
    addressModel: 'absolute',
    variables: {CC: 'gcc -m64', PY_CORE_CFLAGS: '-O3 -Wall -DNDEBUG -I./Include -flto'},
    compiler: cc.compiler,
  };
});

/** The toolchain with one of the inputs edited, or with one more. */
const withInput = (name: string) =>
  toolchainOfBuild({
    ...built,
    inputs: [...built.inputs.filter((each) => each.name !== name), input(name, 'edited')],
  });

describe('an edit', () => {
  test.each([
    ['of a header', 'Include/Python.h', [true, true, true]],
    ['of pyconfig.h', 'pyconfig.h', [true, true, true]],
    ['of the compiler of Python', 'Python/ceval.c', [true, true, false]],
    ['of an extension module', 'Modules/_ssl.c', [false, true, false]],
    ['of what make generates in the tree', 'Python/frozen_modules/os.h', [false, true, false]],
    ['of the probes that make generates', 'Include/pydtrace_probes.h', [false, true, false]],
  ])('%s changes identity, behaviour and headers: %s %j', (_, name, changes) => {
    const [before, after] = [toolchainOfBuild(built), withInput(name)];
    expect([
      after.identity.digest !== before.identity.digest,
      after.behaviour.digest !== before.behaviour.digest,
      after.cc.headers.digest !== before.cc.headers.digest,
    ]).toEqual(changes);
  });

  test.each([{magic: '01020304'}, {abiflags: 'd'}, {builtinModules: ['_ssl']}])(
    'another interpreter is another identity: %j',
    (change) => {
      const other = toolchainOfBuild({...built, target: {...built.target, ...change}});
      expect(other.identity.digest).not.toBe(toolchainOfBuild(built).identity.digest);
    },
  );
});

test('C is compiled as CPython compiles its own, against the headers of tree and build', () => {
  const {cc} = toolchainOfBuild(built);
  expect(cc.command).toBe('gcc -m64');
  expect(cc.flags).toEqual(['-DNDEBUG']);
  expect(cc.includes.at(0)).toEqual({path: at('source/Include'), label: '$SOURCE/Include'});
  expect(cc.includes.at(-1)).toEqual({path: at('build'), label: '$BUILD'});
});

test('frozen modules come from the library, or from the source tree', () => {
  const frozen = [
    {name: 'os', isPackage: false, origin: 'os', source: {root: 'stdlib', path: 'os.py'}},
    {
      name: '__hello__',
      isPackage: false,
      origin: '__hello__',
      source: {root: 'source-tree', path: 'Tools/hello.py'},
    },
  ] as const;
  const {frozenModules} = toolchainOfBuild({...built, target: {...built.target, frozen}});
  expect(frozenModules.map(({source}) => source)).toEqual([
    {path: at('Lib/os.py'), name: 'Lib/os.py'},
    {path: at('source/Tools/hello.py'), name: 'source/Tools/hello.py'},
  ]);
});

test('getpath and static strings are used where the tree has them', () => {
  expect(toolchainOfBuild(built)).toMatchObject({getpath: undefined, globalStringsHeader: undefined});
  for (const name of ['Modules/getpath.py', 'Include/internal/pycore_global_strings.h']) {
    mkdirSync(join(at('source'), name, '..'), {recursive: true});
    writeFileSync(join(at('source'), name), '');
  }
  expect(toolchainOfBuild(built)).toMatchObject({
    getpath: {
      source: {path: at('source/Modules/getpath.py')},
      header: at('build/Python/frozen_modules/getpath.h'),
    },
    globalStringsHeader: at('source/Include/internal/pycore_global_strings.h'),
  });
});
