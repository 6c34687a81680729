import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import type {TriedDifference, TriedModule} from '../../../../src/cpython/interpreter/try-images.js';
import {imageCheck} from '../../../../src/hosts/link/image-check.js';
import type {Artifact} from '../../../../src/model/action.js';
import {digestOf} from '../../../../src/model/digest.js';
import {fail, ok, type Result} from '../../../../src/model/result.js';
import type {HostContext} from '../../../../src/pipeline/build-options.js';
import type {Objects} from '../../../../src/pipeline/host.js';
import type {FreezePlan, ModulePlan} from '../../../../src/pipeline/modules/module-plan.js';
import type {Toolchain} from '../../../../src/pipeline/toolchain.js';
import {fakeToolchain} from '../../../support/fake-toolchain.js';
import {inSite} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
let asked: (readonly string[])[];
const at = (name: string): string => join(folder, name);
const write = (module: string, text: string): void => {
  writeFileSync(at(`${module}.py`), text);
};
beforeEach(() => {
  folder = temporaryDirectory();
  asked = [];
  write('a', 'a = 1');
  write('b', 'b = 1');
});

const artifact = (name: string, text: string): Artifact => ({name, path: at(name), digest: digestOf(text)});
const plan = (): FreezePlan => {
  const modules = ['a', 'b'].map(
    (module) =>
      ({
        module,
        filename: `${module}.py`,
        source: at(`${module}.py`),
        sourceName: `path/${module}.py`,
      }) as ModulePlan,
  );
  return {modules} as unknown as FreezePlan;
};

interface Setting {
  /** The bytes of the images. */
  readonly images?: readonly [string, string];
  readonly runtime?: string;
  readonly isNew?: boolean;
  readonly toolchain?: Partial<Toolchain>;
  readonly context?: Partial<HostContext>;
  readonly answer?: (modules: readonly TriedModule[]) => Result<readonly TriedDifference[]>;
}

/** Checks in a build of its own; notes for which modules. */
async function check({
  images = ['image a', 'image b'],
  runtime = 'runtime',
  isNew = true,
  toolchain = {},
  context = {},
  answer = () => ok([]),
}: Setting = {}): Promise<Result<void>> {
  const objects = {
    images: images.map((text, i) => artifact(`${i}.o`, text)),
    runtime: [artifact('runtime.o', runtime)],
  } as unknown as Objects;
  const {result} = await inSite(
    folder,
    (site) =>
      imageCheck(
        objects,
        plan(),
        fakeToolchain(folder, toolchain),
        site,
      )(isNew, (modules) => {
        asked.push(modules.map(({module}) => module));
        return Promise.resolve(answer(modules));
      }),
    context,
  );
  return result;
}
const difference = (module: string, field = 'co_code'): TriedDifference => ({
  module,
  source: at(`${module}.py`),
  where: 'f',
  field,
  detail: '1 is not 2',
});

test('each image is compared once, in whatever build of this directory', async () => {
  expect(await check()).toEqual(ok());
  await check();
  expect(asked).toEqual([['a', 'b'], []]);
  // Nothing to compare in what is in place already: it is not even started.
  await check({isNew: false});
  expect(asked).toHaveLength(2);
});

test('an edit that leaves the image as it was is compared in the interpreter that is in place', async () => {
  await check();
  write('b', 'b = 1  # a comment');
  await check({isNew: false});
  expect(asked).toEqual([['a', 'b'], ['b']]);
});

test.each<[string, Setting]>([
  ['another runtime', {runtime: 'other'}],
  ['another interpreter', {toolchain: {identity: {name: 'python', digest: digestOf('other')}}}],
  ['a forced build', {context: {force: true}}],
])('with %s, all images are compared again', async (_, setting) => {
  await check();
  await check(setting);
  expect(asked.at(-1)).toEqual(['a', 'b']);
});

test('another image is compared alone', async () => {
  await check();
  await check({images: ['image a', 'other']});
  expect(asked.at(-1)).toEqual(['b']);
});

test('without verification, something new is started, and nothing is compared', async () => {
  await check({context: {verify: false}});
  await check({context: {verify: false}, isNew: false});
  expect(asked).toEqual([[]]);
});

describe('differences', () => {
  test('one is a failure that names the module; the image stays without a proof', async () => {
    const answer = () => ok([difference('b')]);
    expect(await check({answer})).toMatchObject({
      ok: false,
      failure: {
        code: 'VERIFY',
        message: `the image of b differs from a fresh compile of ${at('b.py')}`,
        details: 'b, f: co_code: 1 is not 2',
        hint: expect.stringContaining('--force'),
      },
    });
    await check();
    expect(asked.at(-1)).toEqual(['a', 'b']);
  });

  test('many are counted, and ten are listed', async () => {
    const answer = () =>
      ok([difference('b'), ...Array.from({length: 11}, (_, i) => difference('a', `field${i}`))]);
    const result = await check({answer});
    expect(result).toMatchObject({failure: {message: '2 of 2 new images differ from a fresh compile'}});
    if (result.ok) return;
    expect(result.failure.details?.split('\n')).toHaveLength(11);
    expect(result.failure.details).toMatch(/\nand 2 more$/);
  });

  test('of a source that was edited during the build, the build is to be run again', async () => {
    const answer = () => {
      write('a', 'edited');
      return ok([difference('a')]);
    };
    expect(await check({answer})).toMatchObject({
      failure: {code: 'ACTION', message: `${at('a.py')} changed during the build`},
    });
  });

  test('a source that could not be read is neither a difference nor proven', async () => {
    const answer = () => ok([difference('b', 'unknown encoding')]);
    expect(await check({answer})).toEqual(ok());
    await check();
    expect(asked.at(-1)).toEqual(['b']);
  });
});

test.each(['SMOKE', 'VERIFY'] as const)(
  'a failure with %s of what was started is one of the check',
  async (code) => {
    const result = await check({answer: () => fail(code, 'it ended')});
    expect(result).toMatchObject({ok: false, failure: {code, message: 'it ended'}});
    expect(!result.ok && result.failure.hint !== undefined).toBe(code === 'VERIFY');
  },
);
