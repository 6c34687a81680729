import {FIXED_ENVIRONMENT, SESSION_VARIABLES} from '../../exec/environment.js';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {digestOf} from '../../model/digest.js';
import {canonicalJson} from '../../model/canonical-json.js';

type UserEnvironment = Readonly<Record<string, string | undefined>>;

/** What a traced program runs with: the user's environment, and the hash seed that it sees of it. */
export interface ProgramEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  readonly hashSeed: string | undefined;
}

/** The variables with which a make passes on its jobserver: nobody inherits its descriptors here. */
const JOBSERVER = ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL'];

/**
 * The environment of traced programs: all of the user's, as in the user's own shell, except for what the interpreter needs to start
 * (`interpreter.environment` has it), and for its hash seed, which must not decide the order of imports.
 */
export function programEnvironment(interpreter: Interpreter, user: UserEnvironment): ProgramEnvironment {
  const environment: Record<string, string> = {};
  const isBelowMake = user['MAKEFLAGS']?.includes('--jobserver-') === true;
  for (const [name, value] of Object.entries(user)) {
    if (value !== undefined && !(isBelowMake && JOBSERVER.includes(name))) environment[name] = value;
  }
  for (const [name, value] of Object.entries(interpreter.environment)) {
    if (!(name in FIXED_ENVIRONMENT)) environment[name] = value;
  }
  const hashSeed = user['PYTHONHASHSEED'];
  return {
    environment: {...environment, PYTHONHASHSEED: FIXED_ENVIRONMENT['PYTHONHASHSEED'] ?? '0'},
    hashSeed,
  };
}

/**
 * Where modules are looked for by name, and sources compiled whose codecs `site` registers: the user's environment, so that what an import
 * in the user's shell finds is found, with the fixed variables of every helper process.
 */
export function lookUpEnvironment(
  interpreter: Interpreter,
  user: UserEnvironment,
): Readonly<Record<string, string>> {
  return {...programEnvironment(interpreter, user).environment, ...interpreter.environment};
}

/** Variables that Python, its site module and the C library read before a program begins. */
const READ_AT_START =
  /^(PYTHON.*|LC_.*|LANG|LANGUAGE|TZ|HOME|VIRTUAL_ENV|LD_LIBRARY_PATH|LD_PRELOAD|FLASHFREEZE)$/;

/**
 * A digest of the variables that can change what programs import: those that Python reads when it starts, and those that the programs read
 * when they were traced last. A digest, because they may be secret.
 * @param read names of variables; null stands for all of them but those that describe the terminal and the shell
 */
export function environmentDigest(read: readonly (string | null)[], user: UserEnvironment): string {
  const readsAll = read.includes(null);
  const names = new Set(read.filter((name) => name !== null));
  const isRelevant = (name: string): boolean =>
    names.has(name) || READ_AT_START.test(name) || (readsAll && !SESSION_VARIABLES.includes(name));
  return digestOf(
    canonicalJson(
      Object.fromEntries(
        Object.entries(user).filter(([name, value]) => value !== undefined && isRelevant(name)),
      ) as never,
    ),
  );
}
