import {findTool} from '../../exec/tools.js';
import {fail, ok, type Result} from '../../model/result.js';
import {parseCompilerCommand} from './compiler-command.js';

/** Where and how configure and make run. */
export interface BuildRun {
  /** Absolute path of the build directory, never inside the source tree. */
  readonly buildDir: string;
  /** All of the children's environment (`buildEnvironment`). */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Receives the output of the tool, in whole lines. A log file of the build directory has all of it. */
  readonly onOutput?: (text: string) => void;
}

const PACKAGES =
  'install it: "apt install gcc make" on Debian and Ubuntu, "dnf install gcc make" on Fedora, "xcode-select --install" on macOS';

/**
 * The environment of configure and make: `base` (see `scrubbedEnvironment`), and no bytecode, so that running the new
 * interpreter leaves nothing in the source tree's Lib. SOURCE_DATE_EPOCH decides the date in `sys.version`
 * (Modules/getbuildinfo.c); the start of the epoch stands in for a missing one.
 */
export function buildEnvironment(base: Readonly<Record<string, string>>): Record<string, string> {
  return {SOURCE_DATE_EPOCH: '0', ...base, PYTHONDONTWRITEBYTECODE: '1'};
}

/** The absolute path of GNU make, under any of its names. Fails with NO_MAKE. */
export async function findMake(environment: Readonly<Record<string, string>>): Promise<Result<string>> {
  for (const name of ['make', 'gmake']) {
    const path = await findTool(name, environment['PATH']);
    if (path !== undefined) return ok(path);
  }
  return fail('NO_MAKE', 'make not found on PATH', {hint: PACKAGES});
}

/**
 * The absolute path of the C compiler that configure will use: the program of `wanted` (its CC), or else the first
 * existing one that its AC_PROG_CC tries. Fails with NO_COMPILER.
 */
export async function findCompiler(
  environment: Readonly<Record<string, string>>,
  wanted?: string,
): Promise<Result<string>> {
  const names = wanted === undefined ? ['gcc', 'cc', 'clang'] : [parseCompilerCommand(wanted).file];
  for (const name of names) {
    const path = await findTool(name, environment['PATH']);
    if (path !== undefined) return ok(path);
  }
  return fail('NO_COMPILER', `no C compiler found on PATH (looked for ${names.join(', ')})`, {
    hint: PACKAGES,
  });
}
