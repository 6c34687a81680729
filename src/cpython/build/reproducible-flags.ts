import {AS_THEY_ARE} from './make-variables.js';

/**
 * The working directory under a name that is the same everywhere. Compilers write the directory that they work in into debug
 * information, by the name in PWD if that is one of it (getpwd() of libiberty), and shells keep such a PWD; a flag that
 * maps names (-ffile-prefix-map) would itself name the directory, in everything that tells how Python was compiled.
 */
const ANYWHERE = '/proc/self/cwd';

/** An environment in which compilers and linkers do not record the build directory. */
export function reproducibleEnvironment(
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  return {...environment, PWD: ANYWHERE};
}

/**
 * What configure would look for on the machine, though a build of a release archive needs none of it (AC_CHECK_PROGS in
 * configure.ac, 3.10 to 3.15): the Python that generates sources anew, which the installed Makefile names.
 */
export const NOT_LOOKED_FOR = {PYTHON_FOR_REGEN: 'python3'} as const;

/** How names of files end in which a compiler tells what an object was made from, as a rule of make. */
export const DEPENDENCIES = '.d';

export interface ReproducibleBuild {
  /** The real path of the source tree. */
  readonly source: string;
  /** The path that configure uses for it: relative, the same everywhere. */
  readonly name: string;
  /** The directory that make runs in. */
  readonly buildDir: string;
  /** Of the compiler. */
  readonly family: string;
}

/**
 * Arguments of make that make compilation independent of directories and random numbers, and that neither the installed
 * Makefile nor sysconfig contain.
 *
 * GCC draws a number for each file, which becomes a part of the names of sections with intermediate code (-flto): it gets
 * the name of the object instead. `setup.py`, which compiles the extension modules up to 3.11, does so by absolute paths
 * (PyBuildExt.set_srcdir(), sysconfig's `srcdir`), also when it installs; debug information does not list the flags that map these.
 * What configure has made stays as it is: it would not find the tree by a relative name from a directory of another name.
 *
 * The compiler tells which files each object was made from, in a file beside it.
 */
export function reproducibleArguments({
  source,
  name,
  buildDir,
  family,
}: ReproducibleBuild): readonly string[] {
  const seed = family === 'gcc' ? ' -frandom-seed=$@' : '';
  const maps = [`${source}=${name}`, `${buildDir}=.`].map((map) => `"-ffile-prefix-map=${map}"`);
  return [
    ...[...AS_THEY_ARE, '-o', 'pyconfig.h'],
    `--eval=%.o: private override CFLAGS_NODIST += -MD -MF $@${DEPENDENCIES}${seed}`,
    `--eval=sharedmods sharedinstall: private export CC += -MD ${maps.join(' ')}`,
  ];
}
