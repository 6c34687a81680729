import {dirname, resolve} from 'node:path';
import {z} from 'zod';
import {type Result, fail, ok} from '../../model/result.js';

/** The description of the CPython that make is building, which Makefile.inc passes in the environment, unquoted. */
const environment = z.object({
  FLASHFREEZE_MAKE_SRCDIR: z.string().min(1),
  FLASHFREEZE_MAKE_STAGE1: z.string().min(1),
  FLASHFREEZE_MAKE_CC: z.string().min(1),
  FLASHFREEZE_MAKE_CFLAGS: z.string(),
  FLASHFREEZE_MAKE_LINK: z.string(),
  FLASHFREEZE_MAKE_SHARED: z.string(),
  FLASHFREEZE_MAKE_PIE: z.string(),
});

/** A CPython in the middle of its build, and where images for it go. */
export interface MakeRequest {
  /** The source tree. Absolute, as are all paths here but the next. */
  readonly source: string;
  /** The same as make's path for it, relative to its directory. */
  readonly srcdir: string;
  /** The directory that make runs in. */
  readonly cpython: string;
  /** Our directory in there. */
  readonly buildDir: string;
  /** The interpreter without images. */
  readonly stage1: string;
  readonly variables: {readonly CC: string; readonly PY_CORE_CFLAGS: string};
  /** The linker's command and flags for the file that holds the images. */
  readonly link: string;
  /** Images go into a shared libpython. */
  readonly shared: boolean;
  /** A position-independent executable is wanted. */
  readonly pie: boolean;
}

/** Reads a request. Fails with USAGE when it does not come from Makefile.inc. */
export function readMakeRequest(
  buildDir: string,
  variables: Readonly<Record<string, string | undefined>>,
): Result<MakeRequest> {
  const read = environment.safeParse(variables);
  if (!read.success) {
    return fail('USAGE', 'this command is for Makefile.inc, which passes the CPython that is being built', {
      hint: 'include Makefile.inc and run make freeze-startup (docs/make.md)',
    });
  }
  const told = read.data;
  const cpython = dirname(buildDir);
  const srcdir = told.FLASHFREEZE_MAKE_SRCDIR.trim();
  return ok({
    source: resolve(cpython, srcdir),
    srcdir,
    cpython,
    buildDir,
    stage1: resolve(cpython, told.FLASHFREEZE_MAKE_STAGE1),
    variables: {CC: told.FLASHFREEZE_MAKE_CC.trim(), PY_CORE_CFLAGS: told.FLASHFREEZE_MAKE_CFLAGS},
    link: told.FLASHFREEZE_MAKE_LINK,
    shared: told.FLASHFREEZE_MAKE_SHARED.trim() === '1',
    pie: told.FLASHFREEZE_MAKE_PIE.trim() === 'yes',
  });
}
