import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {join, resolve, sep} from 'node:path';
import {emptyFile} from '../../fs/fresh-file.js';
import {clearFile, clearPath, removeFile} from '../../fs/removal.js';
import {readFile, readdir, realpath} from '../../fs/recorded-fs.js';
import type {Invitation} from '../../exec/jobserver.js';
import {runProcess, type ProcessOutput} from '../../exec/process.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {findCompiler, findMake, type BuildRun} from './build-tools.js';
import {requestedCompiler} from './configure-arguments.js';
import {removeHalfWritten} from './half-written.js';
import {extractErrors} from './tool-output.js';
import {machineCodeArguments} from './lto.js';
import {readMakeVariables} from './make-variables.js';

/** Marks a directory that flashfreeze may empty. */
const OURS = '.flashfreeze-stage1';
/** Exists while make runs. */
const RUNNING = '.flashfreeze-make-runs';
/** What CPython builds must depend on the sources alone, not on the state of a git checkout (Makefile.pre.in). */
const WITHOUT_GIT = ['GITVERSION=', 'GITTAG=', 'GITBRANCH='];

export interface ConfigureRun extends BuildRun {
  /** Absolute path of the source tree. It is only read. */
  readonly source: string;
  /** For configure: see `configureArguments`. */
  readonly arguments: readonly string[];
}

export interface MakeRun extends BuildRun {
  /** How many jobs at once, or the jobserver that decides. */
  readonly jobs: number | Invitation;
  /** Further arguments: targets, variables. */
  readonly flags?: readonly string[];
}

/**
 * Runs configure in an empty build directory. What an earlier build left there is removed first, as objects compiled with
 * other settings must not survive. Its output is in `configure.log` of the build directory.
 *
 * Fails with OUTPUT when the build directory is inside the source tree or holds files that are not ours, with NO_COMPILER,
 * and with CONFIGURE.
 */
export async function configureTree(run: ConfigureRun): Promise<Result<void>> {
  const {source, buildDir} = run;
  if ((buildDir + sep).startsWith(source + sep)) {
    return fail(
      'OUTPUT',
      `the build directory ${buildDir} is inside the source tree, which is never written to`,
    );
  }
  const compiler = await findCompiler(run.environment, requestedCompiler(run.arguments, run.environment));
  if (!compiler.ok) return compiler;
  const empty = await emptyFolder(buildDir);
  if (!empty.ok) return empty;
  const done = await logged(run, 'configure.log', 'sh', [join(source, 'configure'), ...run.arguments]);
  if (!done.ok) return done;
  const {exitCode, stdout, stderr} = done.value;
  if (exitCode === 0) return ok();
  const details = extractErrors(`${stdout}\n${stderr}`);
  if (/C compiler cannot create executables|no acceptable C compiler/.test(stderr)) {
    return fail('NO_COMPILER', `the C compiler ${compiler.value} does not work`, {
      hint: `see its output in ${join(buildDir, 'config.log')}`,
      details,
    });
  }
  return fail('CONFIGURE', `configure failed (exit code ${exitCode})`, {
    hint: `see ${join(buildDir, 'configure.log')} and config.log beside it`,
    details,
  });
}

/**
 * The source tree that a build directory was configured for, which its Makefile names (Makefile.pre.in: `srcdir`), with symbolic
 * links resolved; undefined for a directory without one. What is built there looks for its library in that tree.
 */
export async function configuredSource(buildDir: string): Promise<string | undefined> {
  const makefile = await readFile(join(buildDir, 'Makefile'), 'utf8').catch(() => '');
  const [, named] = /^srcdir[ \t]*=[ \t]*(.+)$/m.exec(makefile) ?? [];
  if (named === undefined) return undefined;
  const source = resolve(buildDir, named.trimEnd());
  return realpath(source).catch(() => source);
}

/**
 * Runs make in a configured build directory. It continues an earlier run, however that ended. Its
 * output is in `make.log` of the build directory. Files whose calls will be redirected are compiled to machine code also under link-time
 * optimisation. Fails with NO_MAKE and STAGE1.
 */
export async function makeTree(run: MakeRun): Promise<Result<void>> {
  const make = await findMake(run.environment);
  if (!make.ok) return make;
  const read = await readMakeVariables(run, ['PY_CORE_CFLAGS']);
  if (!read.ok) return read;
  const variables = await dependableVariables(run);
  if (!variables.ok) return variables;
  const running = join(run.buildDir, RUNNING);
  try {
    await removeHalfWritten(run.buildDir, running);
  } catch (error) {
    return fail('IO', `cannot write to the build directory ${run.buildDir}: ${String(error)}`);
  }
  const marked = await emptyFile(running);
  if (!marked.ok) return marked;
  const lto = machineCodeArguments(read.value.PY_CORE_CFLAGS);
  const args = [...(run.flags ?? []), ...variables.value, ...lto];
  const done =
    typeof run.jobs === 'number'
      ? await logged(run, 'make.log', make.value, [`-j${run.jobs}`, ...args])
      : await logged(run, 'make.log', make.value, args, run.jobs);
  // make removes incomplete targets when it is interrupted, but not when its whole group is killed.
  if (!done.ok) return done;
  await clearFile(running);
  const {exitCode, stdout, stderr} = done.value;
  if (exitCode === 0) return ok();
  return fail('STAGE1', `make could not build CPython (exit code ${exitCode})`, {
    hint: `see ${join(run.buildDir, 'make.log')}`,
    details: extractErrors(`${stdout}\n${stderr}`),
  });
}

/**
 * Variables for every run of CPython's make: its products do not depend on version control, and it writes no bytecode into the
 * source tree. The interpreters that it runs ignore PYTHONDONTWRITEBYTECODE: the new one runs with -E,
 * `_bootstrap_python` has an isolated configuration (Makefile.pre.in, Programs/_bootstrap_python.c). Fails as `readMakeVariables`.
 */
export async function dependableVariables(
  run: Pick<BuildRun, 'buildDir' | 'environment' | 'signal'>,
): Promise<Result<readonly string[]>> {
  const pythons = await readMakeVariables(run, ['PYTHON_FOR_BUILD', 'PYTHON_FOR_FREEZE']);
  if (!pythons.ok) return pythons;
  const quiet = Object.entries(pythons.value).flatMap(([name, command]) =>
    command === '' ? [] : [`${name}=${command} -B`],
  );
  return ok([...WITHOUT_GIT, ...quiet]);
}

async function emptyFolder(path: string): Promise<Result<void>> {
  try {
    await mkdir(path, {recursive: true});
    const names = await readdir(path);
    if (names.length > 0 && !names.includes(OURS)) {
      return fail('OUTPUT', `the build directory ${path} contains files that are not from an earlier build`, {
        hint: 'use another directory, or empty this one',
      });
    }
    // The mark is removed last and written first, so that an interruption does not make the directory unusable.
    for (const name of names) if (name !== OURS) await clearPath(join(path, name));
    const marked = await emptyFile(join(path, OURS));
    return marked.ok ? ok() : err({...marked.failure, code: 'OUTPUT'});
  } catch (error) {
    return fail('OUTPUT', `cannot write to the build directory ${path}: ${String(error)}`);
  }
}

/** Runs a program in the build directory; a log file also gets its output. */
async function logged(
  run: BuildRun,
  logName: string,
  file: string,
  args: readonly string[],
  jobserver?: Invitation,
): Promise<Result<ProcessOutput>> {
  const logPath = join(run.buildDir, logName);
  // What is there may be a FIFO, and opening that would wait.
  await removeFile(logPath);
  const log = createWriteStream(logPath, {flags: 'wx'});
  // A log that cannot be written (a full disk) must not end the build before the tool itself says so.
  log.on('error', () => undefined);
  const done = await runProcess({
    file,
    args,
    cwd: run.buildDir,
    environment: {...run.environment, ...(jobserver && {MAKEFLAGS: jobserver.makeFlags})},
    ...(jobserver && {descriptors: jobserver.descriptors}),
    signal: run.signal,
    onOutput: (text) => {
      log.write(`${text}\n`);
      run.onOutput?.(text);
    },
  });
  log.end();
  await once(log, 'close');
  return done;
}
