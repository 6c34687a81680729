/** The actions that make images, the index and the runtime: what they depend on, and what the compiler gets. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {collectResults, ok, type Result} from '../../../../src/model/result.js';
import type {Artifact} from '../../../../src/model/action.js';
import {digestOf} from '../../../../src/model/digest.js';
import type {HostKind} from '../../../../src/pipeline/host.js';
import {placesOf} from '../../../../src/pipeline/build-places.js';
import {prepareTools, stopTools, type Tools} from '../../../../src/pipeline/images/image-tools.js';
import {buildIndex, buildRecord, buildRuntime} from '../../../../src/pipeline/images/index-and-runtime.js';
import {compileC, generateC, output} from '../../../../src/pipeline/images/module-images.js';
import type {FreezePlan, ModulePlan} from '../../../../src/pipeline/modules/module-plan.js';
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
  mkdirSync(at('build/images'), {recursive: true});
});

function withTools<T>(
  act: (tools: Tools) => Promise<Result<T>>,
  change: Partial<Toolchain> = {},
): Promise<SiteRun<T>> {
  return inSite(folder, async (site) => {
    const tools = await prepareTools({...toolchain, ...change}, placesOf(at('build')), site);
    if (!tools.ok) return tools;
    try {
      return await act(tools.value);
    } finally {
      await stopTools(tools.value);
    }
  });
}
const text = ({result}: SiteRun<Artifact>): string =>
  result.ok ? readFileSync(result.value.path, 'utf8') : result.failure.message;

const PLAN: FreezePlan = {
  modules: [],
  leftOut: [],
  frozenRows: [],
  sources: [{module: 'app', isPackage: false, root: 0, key: 'app'}],
  roots: [{path: '/app'}],
  frozenFirst: false,
  restsCollector: false,
};

test('the tools read the headers of the target, where it has them', async () => {
  const header = at('strings.h');
  writeFileSync(header, 'struct _Py_global_strings { struct { STRUCT_FOR_ID(abs) } identifiers; };\n');
  const getpath = {source: {path: at('getpath.py'), name: 'getpath.py'}, header: at('missing.h')};
  const read = await withTools(({wellKnown, wellKnownHeaders, getpathHeaders}) =>
    Promise.resolve(ok([[...wellKnown.keys()], wellKnownHeaders.length, getpathHeaders.length])),
  );
  expect(read.result).toEqual(ok([[], 0, 0]));
  const strings = await withTools(
    ({wellKnownHeaders}) => Promise.resolve(ok(wellKnownHeaders.map(({path}) => path))),
    {
      globalStringsHeader: header,
    },
  );
  expect(strings.result).toEqual(ok([header]));
  expect((await withTools(() => Promise.resolve(ok()), {getpath})).result).toMatchObject({
    ok: false,
    failure: {code: 'IO', message: expect.stringContaining('missing.h')},
  });
});

test('the index belongs to one interpreter in overlays and grafts only', async () => {
  const index = async (host: HostKind): Promise<string> => {
    const made = await withTools((tools) => buildIndex(host, PLAN, {}, tools));
    expect(made.actions).toContain('cc:_flashfreeze.index executed');
    return readFileSync(at('build/work/index.c'), 'utf8');
  };
  expect(await index('relink')).toContain('ff_target = NULL;');
  expect(await index('overlay')).toContain('ff_target = "3.13.0 (fake)";');
});

test('another plan is another index, the same one is up to date', async () => {
  const build = (plan: FreezePlan) => withTools((tools) => buildIndex('relink', plan, {}, tools));
  await build(PLAN);
  expect((await build(PLAN)).actions).toEqual(['index:python fresh', 'cc:_flashfreeze.index fresh']);
  expect((await build({...PLAN, frozenFirst: true})).actions).toEqual([
    'index:python executed',
    'cc:_flashfreeze.index executed',
  ]);
});

test('the build record names tools by digest, and no path of this machine', async () => {
  await withTools((tools) => buildRecord('make', tools));
  const record = readFileSync(at('build/work/build.c'), 'utf8').replaceAll('\\042', '"');
  expect(record).toContain('"host":"source"');
  expect(record).toContain(`"compiler":{"digest":"${digestOf('gcc')}","name":"gcc"}`);
  expect(record).not.toContain(folder);
});

test.each<[HostKind, string, string]>([
  ['relink', 'linked/', 'overlay/'],
  ['graft', 'graft/', 'linked/'],
  ['overlay', 'overlay/', 'graft/'],
])('the runtime of %s has the part of all hosts, and %s', async (host, own, other) => {
  const {result} = await withTools(async (tools) => {
    const built = await buildRuntime(host, tools);
    return built.ok ? collectResults(built.value.map((artifact) => ok(artifact.path))) : built;
  });
  if (!result.ok) throw new Error(result.failure.message);
  const words = result.value.map((path) => readFileSync(path, 'utf8').split('\n'));
  const sources = words.map((all) => all.find((word) => word.endsWith('.c'))?.split('/runtime/')[1] ?? '');
  expect(sources).toEqual(expect.arrayContaining([expect.stringMatching(/^import\//), 'images.c']));
  expect(sources.filter((name) => name.startsWith(own)).length).toBeGreaterThan(0);
  expect(sources.filter((name) => name.startsWith(other))).toEqual([]);
  expect(words.every((all) => all.includes('-O2'))).toBe(true);
});

test('C is generated from the unit, and compiled; a damaged unit is a failure', async () => {
  const plan: ModulePlan = {
    module: 'app.größe',
    source: at('app.py'),
    sourceName: 'path/app.py',
    filename: 'app.py',
    isCPythonFrozen: false,
    isRequired: false,
  };
  writeFileSync(at('bad.unit'), 'no marshal');
  const unit = {name: 'unit', path: at('bad.unit'), digest: digestOf('no marshal')};
  const {result} = await withTools((tools) => generateC(plan, unit, tools));
  expect(result).toMatchObject({ok: false, failure: {code: 'MARSHAL'}});
  writeFileSync(at('app.c'), 'int x;');
  const source = {name: 'c', path: at('app.c'), digest: digestOf('int x;')};
  const compiled = await withTools((tools) => compileC(plan, source, tools));
  expect(compiled.actions).toEqual(['cc:app.größe executed']);
  expect(text(compiled).split('\n')).toContain(at('app.c'));
});

test('an output that an action does not declare is a bug', () => {
  expect(() => output({id: 'cc:a', outcome: 'executed', outputs: {}}, 'o')).toThrow(
    'cc:a declares no output o',
  );
});
