import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import type {Artifact} from '../../../../src/model/action.js';
import {digestOf} from '../../../../src/model/digest.js';
import {placesOf} from '../../../../src/pipeline/build-places.js';
import {type CompileC, createCCompiler, objectFlagsOf} from '../../../../src/pipeline/compile/c-compiler.js';
import type {Toolchain} from '../../../../src/pipeline/toolchain.js';
import {type FakeToolchain, fakeToolchain} from '../../../support/fake-toolchain.js';
import {inSite, type SiteRun} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
let toolchain: FakeToolchain;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
  toolchain = fakeToolchain(folder);
  mkdirSync(at('build/work'), {recursive: true});
});

function file(name: string, text = name): Artifact {
  writeFileSync(at(name), text);
  return {name, path: at(name), digest: digestOf(text)};
}

/** Compiles files one after the other in one build. */
function compile(
  requests: readonly Partial<CompileC>[],
  change: Partial<Toolchain['cc']> = {},
): Promise<SiteRun<void>> {
  const cc = {...toolchain.cc, ...change};
  const headers = {data: [file('layout.h')], code: [file('layout.h'), file('import.h')]};
  const compiler = createCCompiler({...toolchain, cc}, headers, placesOf(at('build')));
  return inSite(folder, async ({engine}) => {
    for (const [i, request] of requests.entries()) {
      const done = await engine.run(
        compiler.action({
          target: `m${i}`,
          source: file(`m${i}.c`),
          kind: 'data',
          output: {name: 'o', path: at(`m${i}.o`)},
          ...request,
        }),
      );
      if (!done.ok) return done;
    }
    return {ok: true, value: undefined};
  });
}
const words = (name = 'm0.o'): string[] => readFileSync(at(name), 'utf8').trim().split('\n');

test('data is compiled without optimisation, code with it, against the headers of the target', async () => {
  await compile([{kind: 'data'}, {kind: 'code'}]);
  expect(words('m0.o')).toEqual(
    expect.arrayContaining([
      '-O3',
      '-fno-pie',
      '-DFF_LAYOUT="python3.13.h"',
      `-I${at('Include')}`,
      '-O0',
      at('m0.c'),
    ]),
  );
  expect(words('m1.o')).toContain('-O2');
  expect(words('m1.o')).not.toContain('-O0');
});

test.each<[string, Parameters<typeof objectFlagsOf>[0], readonly string[], readonly string[]]>([
  ['gcc on x86-64', fake({}), ['-fno-pie', '-malign-data=abi'], ['-fPIC']],
  ['clang', fake({family: 'clang'}), ['-fno-pie'], ['-malign-data=abi']],
  ['gcc on another machine', fake({target: 'aarch64-linux-gnu'}), [], ['-malign-data=abi']],
  [
    'position-independent images',
    {...fake({}), addressModel: 'position-independent'},
    ['-fPIC', '-DFF_POSITION_INDEPENDENT=1'],
    ['-fno-pie'],
  ],
  [
    'a compiler with flags',
    {...fake({}), cc: {...fake({}).cc, command: 'ccache gcc -m64'}},
    ['-m64'],
    ['gcc'],
  ],
  [
    'a compiler that leaves code to the linker',
    {...fake({}), cc: {...fake({}).cc, command: 'gcc -flto=auto -m64'}},
    ['-flto=auto', '-fno-lto', '-m64'],
    [],
  ],
])('flags of %s', (_, given, has, hasNot) => {
  const {data, code} = objectFlagsOf(given);
  expect(data).toEqual(expect.arrayContaining([...has]));
  expect(data.filter((flag) => hasNot.includes(flag))).toEqual([]);
  expect([data.at(-1), code.at(-1)]).toEqual(['-O0', '-O2']);
});

function fake(compiler: Partial<Toolchain['cc']['compiler']>): Toolchain {
  const made = fakeToolchain(temporaryDirectory());
  return {...made, cc: {...made.cc, compiler: {...made.cc.compiler, ...compiler}}};
}

describe('keys', () => {
  const again = async (change: Partial<Toolchain['cc']>): Promise<readonly string[]> => {
    await compile([{}]);
    return (await compile([{}], change)).actions;
  };

  test('an equal compiler elsewhere makes the same: directories are named by labels', async () => {
    const moved = [{path: at('elsewhere'), label: '$SOURCE/Include'}];
    expect(await again({includes: moved})).toEqual(['cc:m0 fresh']);
  });

  test.each<[string, (cc: Toolchain['cc']) => Partial<Toolchain['cc']>]>([
    ['other flags', () => ({flags: ['-O1']})],
    ['other headers', () => ({headers: {name: 'headers', digest: digestOf('other')}})],
    ['another compiler', ({compiler}) => ({compiler: {...compiler, digest: digestOf('other')}})],
    ['another order of headers', () => ({includes: [{path: at('Include'), label: '$BUILD'}]})],
  ])('%s: compiled again', async (_, change) => {
    expect(await again(change(toolchain.cc))).toEqual(['cc:m0 executed']);
  });
});

test('headers are precompiled for code when there is enough to compile, by gcc', async () => {
  await compile([{kind: 'code'}, {kind: 'code'}, {kind: 'code'}, {}]);
  expect(toolchain.calls().filter((call) => call.includes('c-header'))).toEqual([]);
  await compile([
    ...Array.from({length: 5}, (_, i) => ({
      ...{target: `n${i}`, kind: 'code' as const, output: {name: 'o', path: at(`n${i}.o`)}},
    })),
  ]);
  expect(toolchain.calls().filter((call) => call.includes('c-header'))).toHaveLength(1);
  const used = words('n4.o').filter((word) => word.startsWith(`-I${at('build/work/headers-')}`));
  expect(used).toHaveLength(1);
  expect(existsSync(`${used[0]?.slice(2) ?? ''}/python3.13.h.gch`)).toBe(true);
  const clang = {...toolchain.cc.compiler, family: 'clang'};
  await compile([{target: 'c', kind: 'code', output: {name: 'o', path: at('c.o')}}], {compiler: clang});
  expect(words('c.o').filter((word) => word.includes('headers-'))).toEqual([]);
});

test('what the compiler says is passed on', async () => {
  const {events} = await compile([{}], {flags: ['--warn=unused']});
  expect(events).toContainEqual({type: 'tool-output', id: 'cc:m0', text: 'unused\n'});
});

test.each([
  ['CC', 'syntax error', /failed to compile m0$/],
  ['LAYOUT', 'error: static assertion failed: "flashfreeze layout: size"', /do not match the layout/],
])('a failure is %s after: %s', async (code, text, message) => {
  const {result} = await compile([{}], {flags: [`--fail=${text}`]});
  expect(result).toMatchObject({
    ok: false,
    failure: {code, message: expect.stringMatching(message), details: `${text}\n`},
  });
});
