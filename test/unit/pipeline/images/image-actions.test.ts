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
import {generateObject} from '../../../../src/pipeline/images/module-images.js';
import {output} from '../../../../src/pipeline/action-output.js';
import type {ImageLayout} from '../../../../src/codegen/probe/image-layout.js';
import type {TargetLayout} from '../../../../src/pipeline/images/target-layout.js';
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

const PLAN: FreezePlan = {
  modules: [],
  leftOut: [],
  imports: [],
  frozenRows: [],
  sources: [{module: 'app', isPackage: false, root: 0, key: 'app'}],
  roots: [{path: '/app'}],
  frozenFirst: false,
  restsCollector: false,
  exitsFast: false,
};

test('the tools read the headers of the target, where it has them', async () => {
  const header = at('strings.h');
  writeFileSync(header, 'struct _Py_global_strings { struct { STRUCT_FOR_ID(abs) } identifiers; };\n');
  const getpath = {source: {path: at('getpath.py'), name: 'getpath.py'}, header: at('missing.h')};
  const probe = async (change: Partial<Toolchain>): Promise<string> => {
    await withTools((tools) => tools.targetLayout(), change);
    return readFileSync(at('build/work/probe.c'), 'utf8');
  };
  expect(await probe({})).not.toContain('_Py_ID(');
  expect(await probe({globalStringsHeader: header})).toContain('FF_OF_RUNTIME(_Py_ID(abs))');
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

test('how objects look is asked once, of the target’s compiler', async () => {
  const asked = await withTools(async (tools) => {
    const [first, second] = await Promise.all([tools.targetLayout(), tools.targetLayout()]);
    expect(first).toBe(second);
    return first;
  });
  // This compiler writes down what it is asked.
  expect(asked.result).toMatchObject({
    failure: {code: 'LAYOUT', message: 'the C compiler makes object files of an unknown format'},
  });
  expect(asked.actions).toEqual(['index:probe executed', 'cc:_flashfreeze.probe executed']);
  expect(readFileSync(at('build/work/probe.o'), 'utf8').split('\n')).toContain(at('build/work/probe.c'));
});

test('a damaged unit is a failure', async () => {
  const plan: ModulePlan = {
    module: 'app.größe',
    source: at('app.py'),
    sourceName: 'path/app.py',
    filename: 'app.py',
    isCPythonFrozen: false,
    isRequired: false,
  };
  const file = (name: string, content: string): Artifact => {
    writeFileSync(at(name), content);
    return {name, path: at(name), digest: digestOf(content)};
  };
  const layout: TargetLayout = {
    artifact: file('layout.json', '{}'),
    // Nothing of it is needed.
    read: () => Promise.resolve({} as ImageLayout),
  };
  const {result} = await withTools((tools) =>
    generateObject(plan, file('bad.unit', 'no marshal'), layout, tools),
  );
  expect(result).toMatchObject({ok: false, failure: {code: 'MARSHAL'}});
});

test('an output that an action does not declare is a bug', () => {
  expect(() => output({id: 'cc:a', outcome: 'executed', outputs: {}}, 'o')).toThrow(
    'cc:a declares no output o',
  );
});
