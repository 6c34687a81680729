/**
 * AddressSanitizer and UndefinedBehaviorSanitizer report nothing of a CPython with images that they do not report of the unmodified
 * one, both compiled with them, down to the C of the images: in trees of the fuzzer, when everything that is frozen is imported, and in
 * CPython's tests of imports. At exit, no more memory is leaked.
 *
 *     node test/conformance/run.mjs sanitizers [--parts 'trees imports tests leaks'] [--stdlib]
 *         [--tests 'test_import test_importlib'] [--trees 30] [--seed 1]
 */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {QUICKLY, prepareTree} from '../../../support/cpython-trees.js';
import {makeFrozen} from '../../../support/frozen-pythons.js';
import {gateOptions, say} from '../../../support/gate-options.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {generateProgram} from '../../fuzz/generate/generate.js';
import type {Target} from '../../fuzz/freeze.js';
import {judge} from '../../fuzz/judge.js';
import {runSuite} from '../../support/cpython-suite.js';
import {type Reports, errorsIn, leaksIn} from '../../support/sanitizer-reports.js';
import type {RunPython, Side} from '../../support/subject.js';
import {CLOSURE, STDLIB, localPython} from '../../support/subjects.js';
import {makeView} from '../view.js';

const RELEASE = '3.13.15';
const SERIES = '3.13';
const SCRIPT = join(import.meta.dirname, '..', 'import_everything.py');

/** What the sanitizers' libraries ask each program for: also those that run while CPython is built. */
const OPTIONS = `
const char *__asan_default_options(void) { return "detect_leaks=0:allocator_may_return_null=1"; }
const char *__ubsan_default_options(void) { return "print_stacktrace=1"; }
`;

export async function gate(words: readonly string[]): Promise<boolean> {
  const {flags, values} = gateOptions(words, {
    flags: ['stdlib'],
    values: ['parts', 'tests', 'trees', 'seed'],
  });
  const tests = (values['tests'] ?? 'test_import test_importlib').split(/\s+/);
  const [count, seed] = [Number(values['trees'] ?? '30'), Number(values['seed'] ?? '1')];
  const build = await prepareBuild();
  const folder = makeDirectory('sanitizers');
  const freeze = async (): Promise<void> => {
    await makeFrozen([...build.command, ...(flags.has('stdlib') ? STDLIB : CLOSURE)]);
  };
  const parts: Readonly<Record<string, () => Promise<boolean>>> = {
    trees: () => runTrees(build, count, seed),
    imports: async () => {
      await freeze();
      return compare('imports', folder, (side, more) => importAll(build, side, folder, more));
    },
    tests: async () => {
      await freeze();
      return compare(tests.join(', '), folder, (side, more) => runTests(build, side, folder, tests, more));
    },
    leaks: async () => {
      await freeze();
      const all = [SCRIPT, await listModules(build, folder)];
      const results = [
        await compareLeaks('-c pass', build, folder, ['-c', 'pass']),
        await compareLeaks('imports', build, folder, all),
      ];
      return results.every(Boolean);
    },
  };
  try {
    let isGood = true;
    for (const name of values['parts']?.split(/\s+/) ?? Object.keys(parts)) {
      const part = parts[name];
      if (part === undefined) throw new Error(`--parts ${name}: ${Object.keys(parts).join(', ')}`);
      isGood = (await part()) && isGood;
    }
    return isGood;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

interface Build {
  readonly buildDir: string;
  /** Builds it, but for the selection of modules. */
  readonly command: readonly string[];
  readonly exe: Readonly<Record<Side, string>>;
}

async function prepareBuild(): Promise<Build> {
  const {source, buildDir: usual} = await prepareTree(RELEASE);
  const buildDir = `${usual}-sanitized`;
  const options = `${buildDir}-options`;
  mkdirSync(dirname(buildDir), {recursive: true});
  writeFileSync(`${options}.c`, OPTIONS);
  execFileSync('cc', ['-fPIC', '-c', `${options}.c`, '-o', `${options}.o`]);
  const configure = [
    '--with-address-sanitizer',
    '--with-undefined-behavior-sanitizer',
    `LDFLAGS=${options}.o`,
    QUICKLY,
  ];
  const command = [
    ...['build', '--source', source, '--build-dir', buildDir],
    ...configure.map((argument) => `--configure-arg=${argument}`),
  ];
  await makeFrozen([...command, '--startup']);
  const cpython = join(buildDir, 'cpython');
  return {
    ...{buildDir, command},
    exe: {unmodified: join(cpython, 'python'), frozen: join(cpython, 'python-frozen')},
  };
}

/** Reports are on standard error, which is compared like all that programs print. */
async function runTrees(build: Build, count: number, seed: number): Promise<boolean> {
  const programs = Array.from({length: count}, (_, at) => generateProgram('trees', seed + at));
  const target: Target = {
    ...{series: SERIES, python: build.exe.unmodified},
    host: 'source',
    made: {command: build.command, python: build.exe.frozen},
  };
  let [different, used] = [0, 0];
  for (const {program, difference, unstable, static: modules} of await judge(target, programs)) {
    used += modules > 0 ? 1 : 0;
    if (unstable !== undefined) say(`${program.name} is not judged: ${unstable}`);
    if (difference === undefined) continue;
    different += 1;
    say(`DIFFERENT: ${program.name}: original:\n${difference.original}\nfrozen:\n${difference.frozen}`);
  }
  say(`${count} trees, ${used} of them in static code: ${different} different`);
  return different === 0 && (used > 0 || count === 0);
}

type Act = (side: Side, environment: Readonly<Record<string, string>>) => Promise<void>;

/** Has both sides write their reports into files. */
async function reportsOf(folder: string, side: Side, options: string, act: Act): Promise<readonly string[]> {
  const logs = join(folder, `${side}-reports`);
  rmSync(logs, {recursive: true, force: true});
  mkdirSync(logs);
  await act(side, {
    ASAN_OPTIONS: `${options}:allocator_may_return_null=1:log_path=${join(logs, 'address')}`,
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${join(logs, 'undefined')}`,
  });
  return readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8'));
}

async function compare(what: string, folder: string, act: Act): Promise<boolean> {
  const see = async (side: Side): Promise<Reports> =>
    errorsIn(await reportsOf(folder, side, 'detect_leaks=0', act));
  const [unmodified, frozen] = [await see('unmodified'), await see('frozen')];
  const more = [...frozen.keys()].filter((each) => !unmodified.has(each));
  for (const each of more) say(`WORSE: ${what}: ${each}`);
  say(
    `${what}: ${unmodified.size} kinds of errors unmodified, ${frozen.size} frozen, ${more.length} of them new`,
  );
  return more.length === 0;
}

/** Writes the names of all frozen modules into a file. */
async function listModules(build: Build, folder: string): Promise<string> {
  const list = join(folder, 'modules.txt');
  const asked = await localPython(build.exe.frozen)([
    ...['-B', '-c'],
    'import _flashfreeze; print(*sorted(module.name for module in _flashfreeze.modules()), sep="\\n")',
  ]);
  writeFileSync(list, asked.stdout);
  return list;
}

async function importAll(
  build: Build,
  side: Side,
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const list = await listModules(build, folder);
  say(`${side}: ${await runOnce(build, side, [SCRIPT, list], {environment, cwd: folder})}`);
}

/** Gives the last line of what is printed. */
async function runOnce(
  build: Build,
  side: Side,
  words: readonly string[],
  options: RunPython,
): Promise<string> {
  const done = await localPython(build.exe[side])(['-B', ...words], {
    ...options,
    under: ['nice', '-n', '10'],
  });
  return `exit code ${done.exitCode}, ${done.stdout.trim().split('\n').at(-1) ?? ''}`;
}

async function runTests(
  build: Build,
  side: Side,
  folder: string,
  files: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const view = makeView(build.buildDir, SERIES, side === 'frozen' ? 'stage2' : 'stage1', join(folder, side));
  const python = localPython(view);
  const results = await runSuite(
    (words, options) => python(words, {...options, environment: {...options?.environment, ...environment}}),
    {files, jobs: 1, folder: join(folder, `${side}-tests`)},
  );
  say(`${side}: ${JSON.stringify(results.files)}, ${Object.keys(results.cases).length} test cases`);
}

/** What is still there at exit and nothing points to: CPython leaks some of it, too. */
async function compareLeaks(
  what: string,
  build: Build,
  folder: string,
  words: readonly string[],
): Promise<boolean> {
  const see = async (side: Side): Promise<Reports> =>
    leaksIn(
      await reportsOf(folder, side, 'detect_leaks=1:malloc_context_size=20', async (which, environment) => {
        await runOnce(build, which, words, {environment, cwd: folder});
      }),
    );
  const [unmodified, frozen] = [await see('unmodified'), await see('frozen')];
  const total = (leaks: Reports): number => [...leaks.values()].reduce((sum, bytes) => sum + bytes, 0);
  say(`${what}: ${total(unmodified)} bytes leaked unmodified, ${total(frozen)} frozen`);
  for (const [stack, bytes] of frozen)
    if (!unmodified.has(stack)) say(`  only frozen: ${bytes} bytes: ${stack}`);
  return total(frozen) <= total(unmodified);
}
