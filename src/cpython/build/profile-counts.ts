import type {BuildRun} from './build-tools.js';
import {readMakeVariables} from './make-variables.js';
import {ok, type Result} from '../../model/result.js';

/**
 * The target of CPython's Makefile that compiles it with counters, runs the training task (PROFILE_TASK) and removes what
 * was compiled, but not what was counted (Makefile.pre.in, 3.10 to 3.15).
 */
export const RECORDING_TARGET = 'profile-run-stamp';

/** GCC's counts for one object: GCC looks for the file beside the object when it compiles it again. */
export const COUNTS = /\.gcda$/;

/**
 * Arguments of make that compile CPython with what was counted in an earlier build and lies in the build directory, as the
 * last part of its own target `profile-opt` does (Makefile.pre.in, 3.10 to 3.15); nothing is trained. Fails as
 * `readMakeVariables` does.
 */
export async function profileUseArguments(
  run: Pick<BuildRun, 'buildDir' | 'environment' | 'signal'>,
): Promise<Result<readonly string[]>> {
  const read = await readMakeVariables(run, ['CFLAGS_NODIST', 'PGO_PROF_USE_FLAG']);
  if (!read.ok) return read;
  const {CFLAGS_NODIST, PGO_PROF_USE_FLAG} = read.value;
  return ok(['build_all', `CFLAGS_NODIST=${`${CFLAGS_NODIST} ${PGO_PROF_USE_FLAG}`.trim()}`]);
}
