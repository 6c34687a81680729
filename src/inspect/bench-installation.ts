import {existsSync} from 'node:fs';
import {copyFile, cp, mkdir, readdir, realpath, stat, symlink} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {clearPath} from '../fs/removal.js';
import {describeTarget} from '../cpython/interpreter/target.js';
import {runProcess} from '../exec/process.js';
import {type Result, fail, ok} from '../model/result.js';
import type {BenchProgram} from './bench-program.js';
import {SHARED_FOLDER} from '../hosts/source/link-source.js';

/** A CPython as users have it: installed, with bytecode files beside its modules, and two executables. */
export interface BenchInstallation {
  readonly stage1: string;
  readonly stage2: string;
}

/** Packages of the standard library that no start imports, and that would take most of the room. */
const LEFT_OUT = new Set(['test', 'idlelib', 'tkinter', 'turtledemo', '__pycache__', 'site-packages']);

/**
 * Installs stage 1 and stage 2 side by side into `folder`, with a library of their own, which gets bytecode files: a
 * build directory must not be measured, because there every start would compile its modules (the source tree is never
 * written to), and the comparison would flatter us. Fails with BENCH.
 */
export async function installForBench(
  folder: string,
  built: {readonly stage1: string; readonly stage2: string; readonly cpython: string},
  run: {readonly environment: Readonly<Record<string, string>>; readonly signal: AbortSignal},
): Promise<Result<BenchInstallation>> {
  const target = await describeTarget({python: built.stage1, ...run});
  if (!target.ok) return target;
  const {stdlib, version} = target.value;
  const library = join(folder, 'lib', `python${version.series}`);
  const stage1 = join(folder, 'bin', 'python-stage1');
  const stage2 = join(folder, 'bin', 'python-stage2');
  try {
    await clearPath(folder);
    await mkdir(join(folder, 'bin'), {recursive: true});
    await copyFile(built.stage1, stage1);
    await copyFile(built.stage2, stage2);
    // Images in a shared library have their stamps beside that.
    const stamps = `${await realpath(built.stage2)}.stamps`;
    if (existsSync(stamps)) await copyFile(stamps, `${stage2}.stamps`);
    await cp(stdlib, library, {
      recursive: true,
      filter: (path) => !LEFT_OUT.has(basename(path)),
      preserveTimestamps: true,
    });
    await linkExtensions(join(built.cpython, 'build'), library);
    // Stage 2 looks for a libpython of its own beside itself.
    await symlink(join(built.cpython, SHARED_FOLDER), join(folder, 'bin', SHARED_FOLDER));
  } catch (error) {
    return fail('BENCH', `cannot make the installation to measure in ${folder}: ${String(error)}`);
  }
  // Frozen at a higher price than read: what a start imports has its bytecode, whichever interpreter wrote it.
  const compiled = await runProcess({
    file: stage1,
    args: ['-I', '-m', 'compileall', '-q', '-j', '0', library],
    cwd: folder,
    environment: run.environment,
    signal: run.signal,
  });
  if (!compiled.ok) return compiled;
  return ok({stage1, stage2});
}

/** Extension modules of a build that is not installed lie in build/lib.<platform>-<version>. */
async function linkExtensions(build: string, library: string): Promise<void> {
  const dynamic = join(library, 'lib-dynload');
  await mkdir(dynamic, {recursive: true});
  for (const name of await readdir(build)) {
    if (!name.startsWith('lib.')) continue;
    for (const file of await readdir(join(build, name))) {
      const path = join(build, name, file);
      if (!(await stat(path)).isFile()) continue;
      await symlink(path, join(file.endsWith('.so') ? dynamic : library, file));
    }
  }
}

/** Fails with BENCH when a command compiles modules at its start: a baseline like that would flatter us. */
export async function checkWarmBaseline(
  {python, environment}: BenchProgram,
  words: readonly string[],
  signal: AbortSignal,
): Promise<Result<void>> {
  const done = await runProcess({file: python, args: ['-v', ...words], cwd: '/', environment, signal});
  if (!done.ok) return done;
  const compiled = [...done.value.stderr.matchAll(/^# code object from '?([^'\n]+\.py)'?$/gm)].map(
    ([, path]) => path,
  );
  if (compiled.length === 0) return ok();
  return fail('BENCH', `the baseline compiles modules at start-up: ${compiled.slice(0, 3).join(', ')}`, {
    hint: 'their bytecode files are missing or stale, and cannot be written: write them with python -m compileall',
  });
}
