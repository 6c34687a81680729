import {mkdirSync, readFileSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {makeHost} from '../../../../src/hosts/make/make-host.js';
import type {MakeRequest} from '../../../../src/hosts/make/make-request.js';
import type {Artifact} from '../../../../src/model/action.js';
import {digestOf} from '../../../../src/model/digest.js';
import type {HostContext} from '../../../../src/pipeline/build-options.js';
import type {LinkedImages, Objects} from '../../../../src/pipeline/host.js';
import type {FreezePlan} from '../../../../src/pipeline/modules/module-plan.js';
import type {Toolchain} from '../../../../src/pipeline/toolchain.js';
import {fakeToolchain} from '../../../support/fake-toolchain.js';
import {inSite, type SiteRun} from '../../../support/host-site.js';
import {writeFiles} from '../../cpython/folders.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
  mkdirSync(at('build/work'), {recursive: true});
  writeFiles(folder, {'tree/Lib/os.py': '', 'tree/Lib/broken.py': 'def', 'site/app.py': ''});
});

function object(name: string): Artifact {
  writeFileSync(at(`build/${name}`), name);
  return {name, path: at(`build/${name}`), digest: digestOf(name)};
}

/** Gives make the objects of two images; the build directory is `build` in make's directory. */
function link(
  toolchain: Partial<Toolchain> = {},
  context: Partial<HostContext> = {},
): Promise<SiteRun<LinkedImages>> {
  const request: MakeRequest = {
    source: at('tree'),
    srcdir: '../tree',
    cpython: folder,
    buildDir: at('build'),
    stage1: at('python'),
    variables: {CC: 'gcc', PY_CORE_CFLAGS: ''},
    link: '',
    shared: false,
    pie: false,
  };
  const objects = {
    images: [object('a.o'), object('b.o')],
    tables: [object('index.o')],
    runtime: [object('images.o')],
  } as unknown as Objects;
  const plan = {
    modules: [
      {module: 'os', filename: 'os.py', sourceName: 'Lib/os.py', source: at('tree/Lib/os.py')},
      {module: 'app', filename: 'app.py', sourceName: 'path/app.py', source: at('site/app.py')},
    ],
    leftOut: [{source: at('tree/Lib/broken.py')}],
  } as unknown as FreezePlan;
  return inSite(
    folder,
    (site) => makeHost(request).link(objects, plan, fakeToolchain(folder, toolchain), site),
    context,
  );
}
const list = (): string[] =>
  readFileSync(at('build/objects.rsp'), 'utf8').trimEnd().replaceAll('"', '').split('\n');

test('make gets the flags and the objects, by paths relative to its directory', async () => {
  const {result} = await link({addressModel: 'position-independent'});
  expect(result).toMatchObject({ok: true, value: {output: at('build/objects.rsp'), sha256: null}});
  expect(list()).toEqual([
    '-Wl,--wrap=PyMarshal_ReadObjectFromString',
    'build/a.o',
    'build/b.o',
    'build/index.o',
    'build/images.o',
  ]);
});

test('images with fixed addresses are linked in groups, and no position-independent executable', async () => {
  await link();
  const [noPie, , group, ...rest] = list();
  expect(noPie).toBe('-no-pie');
  expect(group).toMatch(/^build\/work\/groups\/[0-9a-f]{32}-\d+\.o$/);
  expect(rest).toEqual(['build/index.o', 'build/images.o']);
});

test('what the images were made of is named as make names it, with what does not compile', async () => {
  await link();
  const dependencies = readFileSync(at('build/objects.d'), 'utf8');
  expect(dependencies.split('\n').slice(0, 4)).toEqual([
    'build/objects.rsp: \\',
    '  ../tree/Lib/os.py \\',
    `  ${at('site/app.py')} \\`,
    '  ../tree/Lib/broken.py',
  ]);
});

test('the list gets a new time in each build, but not while a watch has nothing new', async () => {
  const touched = async (context: Partial<HostContext>): Promise<boolean> => {
    utimesSync(at('build/objects.rsp'), 1, 1);
    await link({}, context);
    return statSync(at('build/objects.rsp')).mtimeMs !== 1000;
  };
  await link();
  expect(await touched({})).toBe(true);
  const repetition = {} as NonNullable<HostContext['repetition']>;
  expect(await touched({repetition})).toBe(false);
  writeFileSync(at('build/objects.rsp'), 'another');
  expect(await touched({repetition})).toBe(true);
});

test('the new interpreter gets what to compare, unless the user turned that off', async () => {
  const asked = (): unknown => JSON.parse(readFileSync(at('build/images.json'), 'utf8'));
  await link({}, {force: true});
  expect(asked()).toMatchObject({
    force: true,
    images: [{module: 'os', source: at('tree/Lib/os.py')}, {module: 'app'}],
  });
  await link({}, {verify: false});
  expect(asked()).toEqual({force: false, images: []});
});

test('a dry run writes nothing', async () => {
  await link();
  writeFileSync(at('build/objects.rsp'), 'as it was');
  const {result} = await link({}, {dryRun: true});
  expect(result).toMatchObject({ok: true, value: {images: at('build/objects.rsp')}});
  expect(list()).toEqual(['as it was']);
});

test('a list that cannot be written is a failure', async () => {
  mkdirSync(at('build/objects.rsp'), {recursive: true});
  expect((await link()).result).toMatchObject({ok: false, failure: {code: 'IO'}});
});
