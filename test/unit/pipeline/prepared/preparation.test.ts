import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import type {Artifact} from '../../../../src/model/action.js';
import {ok} from '../../../../src/model/result.js';
import {placesOf} from '../../../../src/pipeline/build-places.js';
import type {ModuleSelection} from '../../../../src/pipeline/build-options.js';
import type {FreezePlan, ModulePlan} from '../../../../src/pipeline/modules/module-plan.js';
import {
  PREPARATIONS,
  prepareAll,
  preparedTables,
} from '../../../../src/pipeline/prepared/all-preparations.js';
import type {Preparation} from '../../../../src/pipeline/prepared/preparation.js';
import {regularExpressions} from '../../../../src/pipeline/prepared/regular-expressions.js';
import {sourceSnippets} from '../../../../src/pipeline/prepared/source-snippets.js';
import type {Toolchain} from '../../../../src/pipeline/toolchain.js';
import {fakeToolchain, layoutOf, script} from '../../../support/fake-toolchain.js';
import {inSite, type SiteRun} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

/** Notes what it is asked, and answers with the file `answer`. */
const PYTHON = `#!/bin/sh
for word; do before=$answer; answer=$request; request=$word; done
echo "$*" >> "$(dirname "$0")/runs"
cp "$request" "$(dirname "$0")/asked"
cp "$(dirname "$0")/answer" "$answer"
`;

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
  mkdirSync(at('build/work'), {recursive: true});
  script(at('python'), PYTHON);
});

function planOf(modules: readonly string[]): FreezePlan {
  const plans = modules.map((module) => {
    const path = at(`${module}.py`);
    writeFileSync(path, module);
    return {module, source: path, sourceName: `Lib/${module}.py`} as ModulePlan;
  });
  return {modules: plans} as unknown as FreezePlan;
}
/** With all modules that compile expressions. */
const WITH_RE = (): FreezePlan => planOf(layoutOf('3.13').reModules);

/** Prepares sources of one kind in one build. */
function prepare(
  kind: Preparation,
  wanted: readonly unknown[],
  plan: FreezePlan,
  change: Partial<Toolchain> = {},
): Promise<SiteRun<Artifact | undefined>> {
  const toolchain = fakeToolchain(folder, change);
  return inSite(folder, (site) =>
    kind.prepare(wanted, plan, {engine: site.engine, places: placesOf(at('build')), toolchain}, site.context),
  );
}
const answer = (value: unknown): void => {
  writeFileSync(at('answer'), JSON.stringify(value));
};
const asked = (): unknown => JSON.parse(readFileSync(at('asked'), 'utf8'));

const snippet = {text: 'a + b', filename: '<string>', flags: 0};
const compiledSnippet = {...snippet, mode: 'eval', code: ''};
const expression = {bytes: false, text: 'x*', flags: 0};
const compiledExpression = {...expression, allFlags: 32, code: [1], groups: 0, names: []};

test('sources are compiled by the target, once, and the table has the results', async () => {
  answer([compiledSnippet]);
  const first = await prepare(sourceSnippets, [snippet], planOf([]));
  expect(first).toMatchObject({actions: ['index:snippets executed'], result: {ok: true}});
  expect(asked()).toEqual([snippet]);
  const again = await prepare(sourceSnippets, [snippet], planOf([]));
  expect(again.actions).toEqual(['index:snippets fresh']);
  if (!first.result.ok) return;
  expect(sourceSnippets.table(readFileSync(first.result.value?.path ?? '', 'utf8'))).toContain(
    'ff_snippet_count = 1;',
  );
  expect(sourceSnippets.table(undefined)).toContain('ff_snippet_count = 0;');
});

test('other sources are another action, as is another compiler', async () => {
  answer([]);
  const other = {...snippet, text: 'b'};
  await prepare(sourceSnippets, [snippet], planOf([]));
  expect((await prepare(sourceSnippets, [other], planOf([]))).actions).toEqual(['index:snippets executed']);
  await prepare(regularExpressions, [expression], WITH_RE());
  const plan = WITH_RE();
  writeFileSync(plan.modules[0]?.source ?? '', 'edited');
  expect((await prepare(regularExpressions, [expression], plan)).actions).toEqual([
    'index:expressions executed',
  ]);
});

test('sources that name a directory of this machine are left out', async () => {
  answer([]);
  const wanted = [
    snippet,
    {...snippet, text: `open('${at('build')}/x')`},
    {...snippet, filename: at('script.py')},
    {...snippet, text: `home = '${process.env['HOME'] ?? ''}/x'`},
  ];
  await prepare(sourceSnippets, wanted, planOf([]));
  expect(asked()).toEqual([snippet]);
});

describe('nothing is prepared', () => {
  const unknown = {layout: {...layoutOf('3.13'), reModules: [], replacesCompile: false}};

  test.each<[string, Preparation, readonly unknown[], () => FreezePlan, Partial<Toolchain>]>([
    ['where there is nothing', sourceSnippets, [], () => planOf([]), {}],
    [
      'where a part of re is not frozen',
      regularExpressions,
      [expression],
      () => planOf(['re._compiler']),
      {},
    ],
    ['where nobody has compared re', regularExpressions, [expression], WITH_RE, unknown],
    ['where nobody has compared compile()', sourceSnippets, [snippet], () => planOf([]), unknown],
  ])('%s', async (_, kind, wanted, plan, change) => {
    const {result, actions} = await prepare(kind, wanted, plan(), change);
    expect([result, actions]).toEqual([ok(undefined), []]);
  });
});

test.each([
  ['that has another form', [{...compiledSnippet, mode: 'single'}], 'PYTHON'],
  ['that is no list', {}, 'PYTHON'],
])('an answer %s is a failure', async (_, value, code) => {
  answer(value);
  const {result} = await prepare(sourceSnippets, [snippet], planOf([]));
  expect(result).toMatchObject({ok: false, failure: {code}});
});

test('a script that ends with an error is a failure of discovery', async () => {
  script(at('python'), '#!/bin/sh\necho "no module re" >&2\nexit 3\n');
  const {result} = await prepare(sourceSnippets, [snippet], planOf([]));
  expect(result).toMatchObject({ok: false, failure: {code: 'DISCOVER', details: 'no module re'}});
});

test('all kinds are prepared by name, and their tables follow each other', async () => {
  script(
    at('python'),
    PYTHON.replace(
      'cp "$(dirname "$0")/answer"',
      'case "$*" in *expressions*) kind=1 ;; *) kind=2 ;; esac\ncp "$(dirname "$0")/answer$kind"',
    ),
  );
  writeFileSync(at('answer1'), JSON.stringify([compiledExpression]));
  writeFileSync(at('answer2'), JSON.stringify([compiledSnippet, compiledSnippet]));
  const toolchain = fakeToolchain(folder);
  const wanted = {expressions: [expression], snippets: [snippet]};
  const {result, actions} = await inSite(folder, (site) =>
    prepareAll(
      wanted,
      WITH_RE(),
      {engine: site.engine, places: placesOf(at('build')), toolchain},
      site.context,
    ),
  );
  expect(actions).toEqual(['index:expressions executed', 'index:snippets executed']);
  if (!result.ok) throw new Error(result.failure.message);
  const tables = await preparedTables(result.value);
  expect(tables.match(/ff_\w+_count = \d/g)).toEqual(['ff_expression_count = 1', 'ff_snippet_count = 2']);
});

test('each kind has its own switch', () => {
  const chosen = (selection: Partial<ModuleSelection>): string[] =>
    PREPARATIONS.filter(({isChosen}) => isChosen(selection as ModuleSelection)).map(({name}) => name);
  expect(chosen({preparesExpressions: true, preparesSnippets: false})).toEqual(['expressions']);
  expect(chosen({preparesExpressions: false, preparesSnippets: true})).toEqual(['snippets']);
});
