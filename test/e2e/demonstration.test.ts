/**
 * `npm start`, and the build that it leaves: the same cache and build directory, so that CPython is compiled once for both. What
 * tests build there is taken back at the end, so that the next `npm start` still has nothing to do.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {makeView} from '../conformance/view.js';
import {differences} from '../support/compare-suites.js';
import {runSuite} from '../support/cpython-suite.js';
import {localPython} from '../support/subjects.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {DEMONSTRATION, flashfreezeJson, npmStart, printed, run} from '../../support/rig.js';

jest.setTimeout(20 * 60_000);

/** Of CPython's own tests: what looks at code objects, marshal data and imports, and takes seconds. */
const CPYTHON_TESTS = [
  'test_code',
  'test_frozen',
  'test_importlib',
  'test_json',
  'test_marshal',
  'test_pkgutil',
];

const directory = temporaryDirectory('demonstration');
const stage1 = join(DEMONSTRATION, 'cpython', 'python');
let frozen: string;
let source: string;

/** Builds in the same directory, with another program frozen, too. */
const build = (): ReturnType<typeof flashfreezeJson> =>
  flashfreezeJson(
    [
      ...['build', '--source', source, '--build-dir', DEMONSTRATION, '--out', join(directory, 'python')],
      ...['--startup', '--trace', join(directory, 'app', 'main.py')],
    ],
    {environment: {FLASHFREEZE_CACHE_DIR: undefined}},
  );

beforeAll(async () => {
  const {summary, stderr} = await npmStart();
  if (!summary.ok || summary.output === null) throw new Error(stderr);
  frozen = summary.output;
  source = await printed(stage1, 'import sysconfig; print(sysconfig.get_config_var("srcdir"))', {
    folder: directory,
  });
});
afterAll(async () => {
  await npmStart();
});

test('a second run is up to date', async () => {
  const {summary} = await npmStart();
  expect(summary).toMatchObject({ok: true, executed: [], output: frozen});
});

test('start-up modules and what was traced come from images', async () => {
  const code = `import _flashfreeze as f, os, asyncio, argparse
print(f.info()['active'], *(f.is_static(x.__code__) for x in (os.walk, asyncio.run, argparse.ArgumentParser.parse_args)))`;
  expect(await printed(frozen, code, {folder: directory})).toBe('True True True True');
});

test('every image equals a fresh compile', async () => {
  const done = await flashfreezeJson(['verify', '--images', frozen, '--source', source]);
  expect(done).toMatchObject({exitCode: 0, summary: {ok: true}});
});

test('CPython’s own tests that pass in stage 1 pass in stage 2', async () => {
  const suite = async (stage: 'stage1' | 'stage2') => {
    const python = localPython(makeView(DEMONSTRATION, '3.13', stage, join(directory, stage)));
    // Nothing writes bytecode into the source tree.
    return runSuite(
      (args, options) =>
        python(args, {
          ...options,
          environment: {...options?.environment, PYTHONPYCACHEPREFIX: join(directory, 'bytecode')},
        }),
      {files: CPYTHON_TESTS, jobs: 2, folder: join(directory, `${stage}-tests`)},
    );
  };
  const [unmodified, ours] = [await suite('stage1'), await suite('stage2')];
  expect(Object.values(unmodified.files)).toEqual(CPYTHON_TESTS.map(() => 'passed'));
  expect(Object.values(unmodified.cases).filter((outcome) => outcome === 'passed').length).toBeGreaterThan(
    500,
  );
  expect(differences(unmodified, ours, [])).toEqual([]);
});

test('an edit costs one module and the link', async () => {
  const helper = join(directory, 'app', 'ff_helper.py');
  mkdirSync(join(directory, 'app'));
  writeFileSync(join(directory, 'app', 'main.py'), 'import ff_helper\nprint(ff_helper.answer())\n');
  writeFileSync(helper, 'def answer():\n    return "first"\n');
  expect((await build()).summary).toMatchObject({ok: true});
  // New to the cache, whoever ran this test before.
  writeFileSync(helper, `def answer():\n    return ${JSON.stringify(directory)}\n`);
  expect((await build()).summary).toMatchObject({
    ok: true,
    executed: ['compile:ff_helper', 'generate:ff_helper', 'link:python'],
  });
  const program = [join(directory, 'app', 'main.py')];
  expect(await run(join(directory, 'python'), program)).toMatchObject({stdout: `${directory}\n`, stderr: ''});
});
