import {readFileSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import type {CompileProblem, CompileRequest, Workers} from '../../../../src/cpython/interpreter/worker.js';
import {digestOf} from '../../../../src/model/digest.js';
import {fail, ok, type Result} from '../../../../src/model/result.js';
import {placesOf} from '../../../../src/pipeline/build-places.js';
import {compiledModules} from '../../../../src/pipeline/images/compiled-modules.js';
import {type Compilation, compileModule} from '../../../../src/pipeline/images/compile-module.js';
import type {Tools} from '../../../../src/pipeline/images/image-tools.js';
import type {ModulePlan} from '../../../../src/pipeline/modules/module-plan.js';
import {inSite, type SiteRun} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
let requests: CompileRequest[];
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
  requests = [];
  writeFileSync(at('m.py'), 'import os');
});

const planOf = (change: Partial<ModulePlan> = {}): ModulePlan => ({
  module: 'm',
  source: at('m.py'),
  sourceName: 'path/m.py',
  filename: 'm.py',
  isCPythonFrozen: false,
  isRequired: false,
  ...change,
});

/** Compiles to a unit of the name of the file, or answers with a problem. */
function workers(answer?: () => Result<CompileProblem | undefined>): Workers['compile'] {
  return (request) => {
    requests.push(request);
    const given = answer?.() ?? ok(undefined);
    if (given.ok && given.value === undefined) {
      writeFileSync(request.output, `unit of ${request.filename}`);
      writeFileSync(request.importsOutput, 'os\n');
    }
    return Promise.resolve(given);
  };
}

interface Setting {
  readonly compile?: Workers['compile'];
  readonly site?: Partial<Tools['siteCompiler']>;
}
function run(
  plan: ModulePlan,
  {compile = workers(), site = {}}: Setting = {},
): Promise<SiteRun<Compilation>> {
  return inSite(folder, ({engine}) => compileModule(plan, toolsOf(engine, compile, site)));
}
function toolsOf(engine: Tools['engine'], compile: Workers['compile'], site: Setting['site'] = {}): Tools {
  const places = placesOf(at('build'));
  const siteCompiler = {inputsFor: () => Promise.resolve(ok([])), compile: workers(), ...site};
  const compileTools = [{name: 'python', digest: digestOf('python')}];
  const toolchain = {target: {stdlib: at('Lib')}};
  return {engine, places, compileTools, toolchain, workers: {compile}, siteCompiler} as unknown as Tools;
}
const problem = (text: string): (() => Result<CompileProblem>) => {
  return () => ok({type: 'SyntaxError', text: `SyntaxError: ${text}`});
};

test('a source becomes a unit, and the names that it imports', async () => {
  const {result, actions} = await run(planOf());
  expect(actions).toEqual(['compile:m executed']);
  expect(requests).toMatchObject([{source: at('m.py'), filename: 'm.py', optimize: 0}]);
  if (!result.ok || result.value.kind !== 'unit') throw new Error('no unit');
  expect(readFileSync(result.value.unit.path, 'utf8')).toBe('unit of m.py');
  expect(readFileSync(result.value.imports.path, 'utf8')).toBe('os\n');
  expect((await run(planOf())).actions).toEqual(['compile:m fresh']);
});

test.each<[string, () => Promise<SiteRun<Compilation>>]>([
  ['another file name', () => run(planOf({filename: 'other.py'}))],
  [
    'another content',
    () => {
      writeFileSync(at('m.py'), 'import sys');
      return run(planOf());
    },
  ],
])('%s: compiled again', async (_, again) => {
  await run(planOf());
  expect((await again()).actions).toEqual(['compile:m executed']);
});

describe('a source that does not compile', () => {
  const compile = workers(problem(`invalid syntax in somewhere`));

  test('is a result that is kept', async () => {
    const expected = {
      kind: 'problem',
      problem: {type: 'SyntaxError', text: 'SyntaxError: invalid syntax in somewhere'},
    };
    expect((await run(planOf(), {compile})).result).toEqual(ok(expected));
    const again = await run(planOf(), {compile});
    expect([again.result, again.actions]).toEqual([ok(expected), ['compile:m fresh']]);
  });

  test('fails the build if it is required, also when an earlier build left it', async () => {
    const failed = {
      ok: false,
      failure: {code: 'COMPILE', message: `${at('m.py')} does not compile (SyntaxError)`},
    };
    expect((await run(planOf({isRequired: true}), {compile})).result).toMatchObject(failed);
    await run(planOf(), {compile});
    expect((await run(planOf({isRequired: true}), {compile})).result).toMatchObject(failed);
  });

  test('by a process that ended is a failure, and not kept', async () => {
    const ended = workers(() => fail('COMPILE', 'it ended'));
    expect((await run(planOf(), {compile: ended})).result).toEqual(fail('COMPILE', 'it ended'));
    expect((await run(planOf())).actions).toEqual(['compile:m executed']);
  });
});

describe('a source in an encoding that only site knows', () => {
  const compile = workers(problem('unknown encoding: odd'));
  const codec = {name: 'site/odd.py', path: '/odd.py', digest: digestOf('odd')};
  const found = {inputsFor: () => Promise.resolve(ok([codec]))};

  test('is compiled with site, and what decides its decoding is an input', async () => {
    const {result, actions} = await run(planOf(), {compile, site: found});
    expect(result).toMatchObject({ok: true, value: {kind: 'unit'}});
    expect(actions).toEqual(['compile:m executed', 'compile:m/site executed']);
    const other = {inputsFor: () => Promise.resolve(ok([{...codec, digest: digestOf('other')}]))};
    expect((await run(planOf(), {compile, site: other})).actions).toEqual([
      'compile:m fresh',
      'compile:m/site executed',
    ]);
  });

  test.each<[string, Setting['site']]>([
    ['knows no such codec', {}],
    ['ends the process', {inputsFor: () => Promise.resolve(fail('DISCOVER', 'site failed'))}],
  ])('has its problem where site %s', async (_, site = {}) => {
    const {result, actions} = await run(planOf(), {compile, site});
    expect(result).toMatchObject({
      ok: true,
      value: {kind: 'problem', problem: {text: expect.stringContaining('odd')}},
    });
    expect(actions).toEqual(['compile:m executed']);
  });

  test('fails if it is required, and site does not help', async () => {
    const site = {...found, compile: workers(problem('bad byte'))};
    const {result} = await run(planOf({isRequired: true}), {compile, site});
    expect(result).toMatchObject({ok: false, failure: {code: 'COMPILE', details: 'SyntaxError: bad byte'}});
  });

  test('an interruption is one', async () => {
    const site = {inputsFor: () => Promise.resolve(fail('INTERRUPTED', 'stopped'))};
    expect((await run(planOf(), {compile, site})).result).toMatchObject({
      ok: false,
      failure: {code: 'INTERRUPTED'},
    });
  });
});

test('a source that is missing, or no file, is a problem, or a failure if it is required', async () => {
  for (const source of [at('missing.py'), folder, at('caf\udce9.py')]) {
    expect((await run(planOf({source}))).result).toMatchObject({
      ok: true,
      value: {kind: 'problem', problem: {type: 'OSError', text: expect.stringContaining(source)}},
    });
    expect((await run(planOf({source, isRequired: true}))).result).toMatchObject({
      ok: false,
      failure: {code: 'IO'},
    });
  }
  expect(requests).toEqual([]);
});

test('a source that only seems to have gigabytes is left out unread', async () => {
  writeFileSync(at('sparse.py'), '');
  truncateSync(at('sparse.py'), 10 * 2 ** 30);
  const source = at('sparse.py');
  const {result, actions} = await run(planOf({source}));
  expect([requests, actions]).toEqual([[], []]);
  expect(result).toMatchObject({
    ok: true,
    value: {kind: 'problem', problem: {text: expect.stringContaining('10737418240 bytes')}},
  });
  expect((await run(planOf({source, isRequired: true}))).result).toMatchObject({
    ok: false,
    failure: {code: 'IO'},
  });
});

test('a source that the compiler could not read is left out, and no cached result of its content', async () => {
  const unread = workers(() => fail('IO', 'cannot read it'));
  const {result} = await run(planOf(), {compile: unread});
  expect(result).toEqual(ok({kind: 'problem', problem: {type: 'OSError', text: 'cannot read it'}}));
  expect((await run(planOf({isRequired: true}), {compile: unread})).result).toEqual(
    fail('IO', 'cannot read it'),
  );
  expect(await run(planOf())).toMatchObject({
    result: {ok: true, value: {kind: 'unit'}},
    actions: ['compile:m executed'],
  });
});

test('a module is compiled once for each of its files', async () => {
  writeFileSync(at('other.py'), '');
  const {result, actions} = await inSite(folder, async ({engine}) => {
    const compile = compiledModules(toolsOf(engine, workers()));
    const [first, same] = [compile(planOf()), compile(planOf())];
    expect(same).toBe(first);
    const other = await compile(planOf({source: at('other.py')}));
    const renamed = await compile(planOf({module: 'n'}));
    await first;
    return renamed.ok ? other : renamed;
  });
  expect([...actions].sort()).toEqual(['compile:m executed', 'compile:m/2 executed', 'compile:n executed']);
  expect(result).toMatchObject({ok: true, value: {unit: {path: expect.stringContaining('images/2/')}}});
});
