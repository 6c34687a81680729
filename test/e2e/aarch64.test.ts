/**
 * aarch64, in a root of Debian 13 whose programs run under an emulator, ten times as slowly as this machine's. A build that has
 * nothing in the cache takes minutes there, so this runs only where the root is in the tests' cache, and in a short form.
 *
 *     FLASHFREEZE_TEST_AARCH64=all npm test -- test/e2e/aarch64.test.ts    builds the root, runs all cases and CPython's own tests
 */
import {mkdirSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {debianRoot, runInRoot} from '../../support/debian-root.js';
import {CACHE, type JsonEvent, PACKAGE, type Run, type SummaryEvent} from '../../support/rig.js';
import {CASES, compareCase} from '../fidelity/compare-case.js';
import {type FrozenHost, type Pair, copyPackages} from '../fidelity/frozen.js';
import {differences, tally} from '../support/compare-suites.js';
import {type SuiteResults, runSuite} from '../support/cpython-suite.js';
import type {Python} from '../support/subject.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith, testWith} from '../support/with.js';

jest.setTimeout(60 * 60_000);

const isWhole = process.env['FLASHFREEZE_TEST_AARCH64'] === 'all';
const root = await debianRoot('trixie-root-arm64', {build: isWhole}); // says why, where it cannot be had
const folder = temporaryDirectory('aarch64');
const packages = copyPackages(folder);

/** Cases that take seconds under the emulator. */
const SHORT = ['facts', 'bookkeeping', 'errors'];

/** Test files of CPython that look at code objects, constants and imports. */
const TESTS =
  'test_code test_marshal test_set test_frozen test_pkgutil test_runpy test_zipimport test_import test_importlib test_codecs ' +
  'test_dis test_types test_json test_dataclasses test_functools test_funcattrs test_scope test_traceback test_gc test_weakref';

async function inRoot(
  argv: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string | undefined>>;
    readonly input?: string;
    readonly cwd?: string;
  } = {},
): Promise<Run> {
  const {environment = {}, ...rest} = options;
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const done = await runInRoot(root ?? '', argv, {
    binds: {[PACKAGE]: 'read', [CACHE]: 'write', [folder]: 'write'},
    environment: Object.fromEntries(variables),
    ...rest,
  });
  if (!done.ok) throw new Error(done.failure.message);
  const {exitCode, stdout, stderr} = done.value;
  return {exitCode, stdout, stderr};
}

const SEEDS = isWhole ? ['0', '7', '4294967295'].flatMap((seed) => ['--hash-seed', seed]) : [];

const flashfreeze = (...words: readonly string[]): Promise<Run> =>
  inRoot(['node', join(PACKAGE, 'bin/flashfreeze.mjs'), ...words, '--cache-dir', join(CACHE, 'store')]);

function suiteIn(program: string): Promise<SuiteResults> {
  const python: Python = (args, {environment, cwd} = {}) =>
    inRoot([program, ...args], {...(environment && {environment}), ...(cwd && {cwd})});
  return runSuite(python, {files: TESTS.split(' '), jobs: 2, folder: join(folder, 'tests')});
}

/** By the program: a graft and an overlay have the same original. */
const unmodifiedSuites = new Map<string, SuiteResults>();

async function unmodifiedSuite(program: string): Promise<SuiteResults> {
  const results = unmodifiedSuites.get(program) ?? (await suiteIn(program));
  unmodifiedSuites.set(program, results);
  return results;
}

interface Way {
  readonly host: FrozenHost;
  readonly python: string;
  readonly command: readonly string[];
  /** What the command says of how it was done. */
  readonly method?: string;
}

/** Debian 13's archive lacks objects; that of Debian 12, whose Python is in the root, too, can be linked. */
const WAYS: readonly Way[] = [
  {host: 'graft', python: '/usr/bin/python3.13', command: ['relink'], method: 'graft'},
  {host: 'overlay', python: '/usr/bin/python3.13', command: ['overlay']},
  // All objects for the other address model take minutes.
  ...(isWhole
    ? [{host: 'relink', python: '/usr/bin/python3.11', command: ['relink'], method: 'link'} as const]
    : []),
];

describeWith(root, 'a root for aarch64').each(WAYS.map((way) => [way.host, way] as const))(
  'aarch64, %s',
  (host, {python, command, method}) => {
    const place = join(folder, host);
    const frozen = join(place, 'bin', basename(python)); // as an overlay calls its wrapper
    let pair: Pair;
    let events: readonly JsonEvent[];

    beforeAll(async () => {
      mkdirSync(dirname(frozen), {recursive: true});
      const out = host === 'overlay' ? place : frozen;
      const made = await flashfreeze(
        ...[...command, '--python', python, '--out', out, '--build-dir', join(folder, `${host}-build`)],
        ...['--startup', '--trace', join(packages, 'everything.py'), '--module', 'json.decoder', '--json'],
      );
      events = made.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as JsonEvent);
      pair = {name: host, host, unmodified: python, frozen, packages, run: inRoot};
    });

    test('is made for that processor, in the way that is possible', async () => {
      expect(events.at(-1) as SummaryEvent).toMatchObject({ok: true, ...(method && {method})});
      const said = events.map(({message}) => String(message));
      const obstacle = /libpython3\.13\.a cannot be linked \(.*\): grafting a copy of the executable/;
      expect(said.some((text) => obstacle.test(text))).toBe(method === 'graft');
      const code =
        'import platform, json.decoder as d, _flashfreeze as f; print(platform.machine(), f.is_static(d.JSONDecoder.decode.__code__))';
      expect(await inRoot([frozen, '-c', code])).toEqual({exitCode: 0, stdout: 'aarch64 True\n', stderr: ''});
    });

    test('images equal a fresh compile', async () => {
      const verified = await flashfreeze('verify', '--images', frozen, ...SEEDS);
      expect(verified).toMatchObject({exitCode: 0});
      expect(verified.stdout + verified.stderr).toMatch(/\d\d images .*equal a fresh compile/);
    });

    test.each(isWhole ? CASES : SHORT)('imports are as usual: %s', (name) => compareCase(pair, name));

    testWith(isWhole, 'FLASHFREEZE_TEST_AARCH64=all')(
      'what of CPython’s own tests passes unmodified',
      async () => {
        const [unmodified, with_] = [await unmodifiedSuite(python), await suiteIn(frozen)];
        process.stdout.write(
          `aarch64, ${host}: ${tally(unmodified.cases)} unmodified, ${tally(with_.cases)} frozen\n`,
        );
        expect(differences(unmodified, with_, [])).toEqual([]);
        expect(Object.keys(unmodified.cases).length).toBeGreaterThan(2000);
      },
    );
  },
);
