/**
 * Snapshots of common packages on the system's Python: whether each is whole, in part (what is left out, and why) or not, whether it prints the same as
 * without one, and how long it starts. Writes the table of docs/snapshots.md. Whatever happens with one of them, the next one is tried.
 *
 *     node bench/run.mjs packages [--on 'numpy pandas'] [--rounds 9]
 */
import {existsSync, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {measureTime} from '../../src/cpython/interpreter/measure.js';
import {quantile} from '../../src/inspect/statistics.js';
import {valueOf} from '../context.js';
import {loadAverage} from '../measuring.js';
import {say, suiteOptions} from '../options.js';
import {build, install, lastLine, PYTHON, Trial} from '../package-trial.js';
import {keepOutcome, type Package, type PackageOutcome, PACKAGES} from '../packages.js';

const STANDARD_LIBRARY = '/usr/lib/python3.11';
const SYSTEM_PACKAGES = '/usr/lib/python3/dist-packages';
/** Each of these reads everything from the disk. */
const COLD_ROUNDS = 3;
const {signal} = new AbortController();

const ONE_THREAD = {OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1'};

/** The standard output of a process that runs a program, and its largest memory in megabytes. */
const MEASURED = `import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)`;

export async function suite(words: readonly string[]): Promise<void> {
  const {on, rounds} = suiteOptions(words);
  for (const each of PACKAGES) {
    if (on?.includes(each.name) === false) continue;
    const outcome = await tryPackage(each, rounds);
    say(
      `${each.name}: ${outcome.state}, ${outcome.warm?.snapshot ?? '–'} of ${outcome.warm?.unmodified ?? '–'} ms; ${outcome.reason}`,
    );
    await keepOutcome(outcome);
  }
}

async function tryPackage(wanted: Package, rounds: number): Promise<PackageOutcome> {
  const {name, code} = wanted;
  const none = {
    ...{name, version: '', warm: null, cold: null, file: null, memory: null},
    load: loadAverage(),
  };
  let version = '';
  try {
    const trial = new Trial(wanted.name, ONE_THREAD);
    version = await install(trial, wanted);
    const expected = await trial.run(PYTHON, ['-c', code]);
    if (expected.exitCode !== 0) throw new Error(`it does not run without one: ${lastLine(expected.stderr)}`);
    const left = await build(trial, code);
    const state = await trial.run(trial.out, [
      '-c',
      `${code}\nimport _flashfreeze; print(_flashfreeze.info()["snapshot"])`,
    ]);
    const isRestored = lastLine(state.stdout) === 'restored';
    const own = await trial.run(trial.out, ['-c', code]);
    const isSame = own.exitCode === 0 && own.stdout === expected.stdout && own.stderr === expected.stderr;
    const warm = await time(trial, code, rounds);
    const cold = await time(trial, code, COLD_ROUNDS, filesOf(trial));
    return {
      ...{name, version, warm, cold},
      state: !isSame ? 'wrong' : !isRestored ? 'not' : left === '' ? 'whole' : 'in part',
      reason: !isSame
        ? `exit code ${own.exitCode}: ${lastLine(own.stderr)}`
        : isRestored
          ? left
          : lastLine(state.stdout),
      file: statSync(trial.out).size / 1e6,
      memory: {unmodified: await memory(trial, PYTHON, code), snapshot: await memory(trial, trial.out, code)},
      load: Math.max(none.load, loadAverage()),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {...none, version, state: 'not', reason: reason.split('\n', 1)[0]?.slice(0, 300) ?? ''};
  }
}

/**
 * The medians of starts of the unmodified Python and of the snapshot, in turn, from a process that does nothing else.
 * @param evicted files that are not in the page cache when a start begins. Null where it keeps them.
 */
async function time(
  trial: Trial,
  code: string,
  rounds: number,
  evicted: readonly string[] = [],
): Promise<PackageOutcome['warm']> {
  const {environment, home: cwd} = trial;
  const commands = [PYTHON, trial.out].map((file) => ({words: [file, '-c', code], environment}));
  const runner = {python: PYTHON, environment, signal};
  const measured = valueOf(await measureTime(runner, {commands, rounds, cwd, evicted}));
  const isCold = measured.every(({reads}) => quantile(reads, 0.5) > 0);
  if (evicted.length > 0 && !isCold) return null;
  const [unmodified = [], snapshot = []] = measured.map(({milliseconds}) => milliseconds);
  return {unmodified: quantile(unmodified, 0.5), snapshot: quantile(snapshot, 0.5)};
}

/** What the starts may read: both executables, the standard library, and the packages. */
function filesOf({home, out}: Trial): string[] {
  const own = join(home, '.local');
  const folders = [STANDARD_LIBRARY, existsSync(own) ? own : SYSTEM_PACKAGES];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, {recursive: true, withFileTypes: true})
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return [PYTHON, out, ...files];
}

async function memory(trial: Trial, python: string, code: string): Promise<number> {
  const done = await trial.run(PYTHON, ['-I', '-c', MEASURED, python, '-c', code]);
  return Number(done.stdout.trim());
}
