import {shellWords} from '../../model/shell-words.js';

/**
 * The files that call the functions that the runtime replaces (`FF_WRAPPED` of the layouts), 3.10 to 3.15: the linker does not
 * redirect (--wrap) calls that come from intermediate code, and does not say so (GNU ld 2.40). Makefile.inc has the same list.
 */
export const REDIRECTED_CALLERS = ['Python/import.o', 'Python/pylifecycle.o', 'Modules/getpath.o'] as const;

/**
 * Arguments of make with which these alone become machine code where link-time optimisation is on, which make hands on to
 * the makes below it (--enable-optimizations); none where it is off.
 * @param cflags PY_CORE_CFLAGS, expanded
 */
export function machineCodeArguments(cflags: string): readonly string[] {
  if (!shellWords(cflags).some((word) => word.startsWith('-flto'))) return [];
  return [`--eval=${REDIRECTED_CALLERS.join(' ')}: private PY_CORE_CFLAGS += -fno-lto`];
}
