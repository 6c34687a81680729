import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {readFile} from '../../fs/recorded-fs.js';
import {runProcess} from '../../exec/process.js';
import {messageOf} from '../../model/errno.js';
import {fail, ok, type Result} from '../../model/result.js';
import {shellWords} from '../../model/shell-words.js';
import {findMake, type BuildRun} from './build-tools.js';
import {extractErrors} from './tool-output.js';
import {readMakeVariables} from './make-variables.js';

/** The user's additions to CPython's list of modules; makesetup reads it before the other files (Makefile.pre.in, Modules/makesetup). */
const SETUP_LOCAL = 'Modules/Setup.local';
/** The standard library's extension modules, as configure leaves it: the others of the template are comments. Since 3.11. */
const SETUP_STDLIB = 'Modules/Setup.stdlib';
/** The names of `sys.stdlib_module_names`, which modules for tests are not among: several have to be shared libraries. */
export const PUBLIC_NAMES = 'Python/stdlib_module_names.h';

/**
 * Libraries of the standard library's extension modules whose archives need nothing but libc and each other. With an archive,
 * a library is part of the interpreter, at fixed addresses, as a snapshot needs it (hosts/snapshot).
 */
export const ARCHIVED_LIBRARIES = [
  ...(['ssl', 'crypto', 'sqlite3', 'ffi', 'z', 'uuid', 'lzma', 'bz2'] as const),
  ...(['panelw', 'ncursesw', 'tinfo'] as const),
] as const;

const HEADER =
  '# Written by flashfreeze: extension modules that are linked into the interpreter.\n*static*\n';

/** An extension module, as a line of a Setup file declares it. */
export interface Extension {
  readonly name: string;
  /** As `makesetup` reads it. */
  readonly line: string;
  /** What it has to be linked with, or the variable of the Makefile that says so. */
  readonly libraries: readonly string[] | {readonly variable: string};
}

/** The modules that a Setup file declares, whether to be linked in or shared. */
export function parseSetup(text: string): readonly Extension[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => /^\w+\s/.test(line) && !line.includes('='))
    .flatMap((line) => {
      const [name = '', ...rest] = line.split(/\s+/);
      const flags = rest.filter((word) => !/\.(c|cc|cpp|cxx|m|o)$/.test(word));
      // As makesetup has it: modules without any flags have variables for them, of their own name.
      const libraries =
        flags.length === 0
          ? {variable: `MODULE_${name.toUpperCase()}_LDFLAGS`}
          : flags.filter((word) => !/^(-[IDUf].*|\$\(\w+_(CFLAGS|INCLUDES)\))$/.test(word));
      return [{name, line, libraries}];
    });
}

/**
 * Configures the interpreter of a build directory to contain the extension modules of the standard library that need nothing
 * but what it is linked with anyway. A module with an archive of its own (libmpdec, expat) stays shared, because programs that link
 * with libpython would not have that archive.
 * @param source the source tree
 * @param archives the libraries (`-lz`) that a later link takes from their archives: modules that need only these, or archives of the
 *   build, are chosen, too
 * @returns their names
 * Fails with PYTHON_VERSION (before 3.11, the Makefile did not build modules), NO_MAKE, CONFIGURE, STAGE1 and IO.
 */
export async function buildExtensionsIn(
  source: string,
  run: BuildRun,
  archives?: readonly string[],
): Promise<Result<readonly string[]>> {
  const setup = await readFile(join(run.buildDir, SETUP_STDLIB), 'utf8').catch(() => undefined);
  if (setup === undefined) {
    return fail('PYTHON_VERSION', 'this version of CPython does not support --builtin-extensions', {
      hint: 'omit it, or use CPython 3.11 or later',
    });
  }
  const extensions = parseSetup(setup);
  const variables = ['LIBS', 'LIBM', 'LIBC', 'SYSLIBS'];
  for (const {libraries} of extensions) if ('variable' in libraries) variables.push(libraries.variable);
  const read = await readMakeVariables(run, variables);
  if (!read.ok) return read;
  const valueOf = (name: string): readonly string[] => shellWords(read.value[name] ?? '');
  const present = new Set([...['LIBS', 'LIBM', 'LIBC', 'SYSLIBS'].flatMap(valueOf), ...(archives ?? [])]);
  const isLinked = (library: string): boolean =>
    present.has(library) || (archives !== undefined && /^Modules\/.*\.a$/.test(library));
  try {
    const names = await readFile(join(source, PUBLIC_NAMES), 'utf8');
    const isPublic = new Set([...names.matchAll(/^"(\w+)",/gm)].map(([, name]) => name));
    const chosen = extensions.filter(({name, libraries}) => {
      const needed = 'variable' in libraries ? valueOf(libraries.variable) : libraries;
      return isPublic.has(name) && needed.every(isLinked);
    });
    await writeFile(join(run.buildDir, SETUP_LOCAL), HEADER + chosen.map(({line}) => `${line}\n`).join(''));
    const made = await updateMakefile(run);
    return made.ok ? ok(chosen.map(({name}) => name)) : made;
  } catch (error) {
    return fail('IO', `cannot configure the built-in modules: ${messageOf(error)}`);
  }
}

/** Makefile and Modules/config.c, by their own rule. Fails with NO_MAKE and CONFIGURE. */
async function updateMakefile({buildDir, environment, signal, onOutput}: BuildRun): Promise<Result<void>> {
  const make = await findMake(environment);
  if (!make.ok) return make;
  const args = ['--no-print-directory', 'Makefile'];
  const done = await runProcess({
    file: make.value,
    args,
    cwd: buildDir,
    environment,
    signal,
    ...(onOutput && {onOutput}),
  });
  if (!done.ok) return done;
  const {exitCode, stdout, stderr} = done.value;
  if (exitCode === 0) return ok();
  return fail('CONFIGURE', `make could not update the Makefile of ${buildDir}`, {
    details: extractErrors(`${stdout}\n${stderr}`),
  });
}
