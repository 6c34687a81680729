/**
 * Five programs in a virtual environment of the system's Python, each from a snapshot of its own: what `--version` prints and how long it takes, in turn with
 * the unmodified one. Fails if one prints something else or is not restored, or if the mean of the ratios is above the goal.
 *
 *     node bench/run.mjs environment [--on 'http pytest'] [--rounds 30]
 */
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {measureTime} from '../../src/cpython/interpreter/measure.js';
import {askExecutable} from '../../src/hosts/snapshot/ask-executable.js';
import {quantile} from '../../src/inspect/statistics.js';
import {quietContext, valueOf} from '../context.js';
import {say, suiteOptions} from '../options.js';
import {buildSnapshot, lastLine, PYTHON, Trial} from '../package-trial.js';

const PROGRAMS = ['http', 'black', 'ipython', 'streamlit', 'pytest'];
const PACKAGES = ['black', 'ipython', 'streamlit', 'pytest'];
/** Where pip does not have HTTPie, it is the system's, with what pip has. */
const HTTPIE = /^(httpie|requests|requests_toolbelt|urllib3|chardet)\b/;
const SYSTEM = '/usr/lib/python3/dist-packages';
const NEEDED_BY_HTTPIE = ['defusedxml', 'multidict', 'PySocks', 'rich', 'idna', 'certifi'];
const GOAL = 0.1;

export async function suite(words: readonly string[]): Promise<void> {
  const {on, rounds} = suiteOptions(words);
  const trial = new Trial('environment');
  const bin = join(trial.home, 'venv', 'bin');
  await makeEnvironment(trial, bin);
  mkdirSync(join(trial.home, 'bin'), {recursive: true});
  const ratios: number[] = [];
  let isRight = true;
  for (const name of PROGRAMS) {
    if (on?.includes(name) === false) continue;
    const [script, out] = [join(bin, name), join(trial.home, 'bin', name)];
    const python = join(bin, 'python');
    const entry = entryOf(readFileSync(script, 'utf8'));
    const left = await buildSnapshot(trial, {
      python,
      out,
      more: ['--entry', entry, '--trace', `${script} --version`],
    });
    const [usual, own] = [await trial.run(script, ['--version']), await trial.run(out, ['--version'])];
    const isSame =
      usual.exitCode === own.exitCode && usual.stdout === own.stdout && usual.stderr === own.stderr;
    const {environment} = trial;
    const state = await askExecutable({file: out, calledAs: out, environment}, quietContext());
    const [unmodified, snapshot] = await time(trial, [script, out], rounds);
    ratios.push(snapshot / unmodified);
    isRight &&= isSame && state === 'restored';
    say(
      `${name}: ${state}, ${isSame ? 'the same output' : 'another output'}, ${snapshot.toFixed(1)} of ${unmodified.toFixed(1)} ms, ratio ${(snapshot / unmodified).toFixed(3)}${left === '' ? '' : `; left out: ${left}`}`,
    );
  }
  const mean = ratios.reduce((sum, each) => sum + each, 0) / ratios.length;
  say(`mean of the ratios: ${mean.toFixed(3)}, at most ${GOAL}`);
  if (!isRight || mean > GOAL) process.exitCode = 1;
}

/** That of a script which pip has made. */
function entryOf(script: string): string {
  const [, module, name] = /^from (\S+) import (\S+)$/m.exec(script) ?? [];
  return `${module ?? ''}:${name ?? ''}`;
}

async function makeEnvironment(trial: Trial, bin: string): Promise<void> {
  if (existsSync(join(bin, 'http'))) return;
  const install = async (names: readonly string[]): Promise<void> => {
    const done = await trial.installInto(join(bin, 'python'), ['--only-binary', ':all:', ...names]);
    if (done.exitCode !== 0) throw new Error(lastLine(done.stderr));
  };
  await trial.run(PYTHON, ['-m', 'venv', join(trial.home, 'venv')]);
  await install(PACKAGES);
  const done = await trial.installInto(join(bin, 'python'), ['--only-binary', ':all:', 'httpie']);
  if (done.exitCode === 0) return;
  await install(NEEDED_BY_HTTPIE);
  const packages = join(bin, '..', 'lib', 'python3.11', 'site-packages');
  for (const name of readdirSync(packages).filter((each) => HTTPIE.test(each))) {
    rmSync(join(packages, name), {recursive: true});
  }
  for (const name of readdirSync(SYSTEM).filter((each) => HTTPIE.test(each))) {
    cpSync(join(SYSTEM, name), join(packages, name), {recursive: true, dereference: true});
  }
  const text = `#!${join(bin, 'python')}\nimport sys\nfrom httpie.__main__ import main\nsys.exit(main())\n`;
  writeFileSync(join(bin, 'http'), text, {mode: 0o755});
}

/** The medians of starts, in turn. */
async function time(
  trial: Trial,
  files: readonly string[],
  rounds: number,
): Promise<readonly [number, number]> {
  const {environment, home: cwd} = trial;
  const commands = files.map((file) => ({words: [file, '--version'], environment}));
  const runner = {python: PYTHON, environment, signal: new AbortController().signal};
  const measured = valueOf(await measureTime(runner, {commands, rounds, cwd, evicted: []}));
  const [unmodified = NaN, snapshot = NaN] = measured.map(({milliseconds}) => quantile(milliseconds, 0.5));
  return [unmodified, snapshot];
}
