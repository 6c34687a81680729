import {temporaryPlace} from '../fs/temporary-place.js';

/**
 * The variables that every child gets with fixed values. They keep results from depending on the user's
 * language, clock or hash seed, and may appear in key records.
 * 1980-01-01 is the earliest date that a zip archive can hold, so tools that copy the epoch into one do not fail.
 */
export const FIXED_ENVIRONMENT: Readonly<Record<string, string>> = {
  LC_ALL: 'C.UTF-8',
  PYTHONHASHSEED: '0',
  SOURCE_DATE_EPOCH: '315532800',
  TZ: 'UTC',
};

/**
 * The variables with paths of this machine. Children need them, some of them to start at all (an interpreter or a compiler whose
 * libraries lie where no run path says); no result may depend on them.
 */
const PLACES = ['HOME', 'PATH', 'TMPDIR', 'LD_LIBRARY_PATH'] as const;

/** Variables of shells, terminals and a parent make: no build depends on them. */
export const SESSION_VARIABLES: readonly string[] = [
  ...['_', 'OLDPWD', 'PWD', 'SHLVL', 'COLUMNS', 'LINES', 'MAKEFLAGS', 'MAKELEVEL', 'MFLAGS'],
];

/**
 * The complete environment of a child process: the paths of this machine, the fixed variables, and `extra`, which takes precedence.
 * Nothing else of `own` is passed on, in particular no `PYTHON*` variable of the user.
 */
export function scrubbedEnvironment(
  extra: Readonly<Record<string, string>> = {},
  own: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of PLACES) {
    const value = own[name];
    if (value !== undefined)
      environment[name] = name === 'TMPDIR' && value !== '' ? temporaryPlace(own) : value;
  }
  return {...environment, ...FIXED_ENVIRONMENT, ...extra};
}
