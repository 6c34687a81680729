import {fail, ok, type Result} from '../../../model/result.js';
import type {Target} from '../target.js';

interface RefusedBuild {
  /** Any of these in CPython's headers tells such a build. */
  readonly macros: readonly string[];
  readonly reason: string;
}

/**
 * Builds of CPython whose code objects cannot be static. The C of the layouts (`common.h`) and Makefile.inc reject the same
 * ones with the same reasons, as a test checks: they meet CPythons that nobody has asked about themselves.
 */
export const REFUSED_BUILDS = {
  freeThreaded: {
    macros: ['Py_GIL_DISABLED'],
    reason: 'a free-threaded CPython cannot have static code objects',
  },
  debug: {
    macros: ['Py_DEBUG', 'Py_REF_DEBUG', 'Py_TRACE_REFS'],
    reason:
      'a debug build of CPython cannot have static code objects: it checks that static strings are its own, and counts references to them',
  },
} as const satisfies Readonly<Record<string, RefusedBuild>>;

/** Pythons whose code objects can be static. Fails with PYTHON for others. */
export function checkUsable(target: Pick<Target, 'debug' | 'freeThreaded'>): Result<void> {
  const refused = target.freeThreaded
    ? REFUSED_BUILDS.freeThreaded
    : target.debug
      ? REFUSED_BUILDS.debug
      : undefined;
  if (refused === undefined) return ok();
  return fail('PYTHON', refused.reason, {hint: 'use a Python that was configured without that option'});
}

/** Pythons without images: a process has one runtime. Fails with PYTHON for a Python that Flashfreeze linked or grafted. */
export function checkUnfrozen({
  executable,
  builtinModules,
}: Pick<Target, 'executable' | 'builtinModules'>): Result<void> {
  if (!builtinModules.includes('_flashfreeze')) return ok();
  return fail('PYTHON', `${executable} has frozen modules already: flashfreeze made it`, {
    hint: 'pass the Python that it was made of',
  });
}
