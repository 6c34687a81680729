/**
 * CPython's default with `-no-pie`: in a position-dependent executable the pointers of static code are constants, in a
 * PIE each of them is a relocation at every start.
 */
const NON_PIE_LINK = 'LINKFORSHARED=-Xlinker -export-dynamic -no-pie';
/** A PIE, also from a compiler that does not make one by default. */
const PIE = ['LINKFORSHARED=-Xlinker -export-dynamic -pie', 'CFLAGS_NODIST=-fPIE'];

/** Options that put the interpreter into a library, where position-dependent code cannot be. */
const LIBRARY_OPTIONS = /^--enable-(shared|framework)(=(?!no$).*)?$/;

/**
 * The arguments for configure: the user's own, and a link of the wanted kind unless they (or variables of the
 * environment) decide how to link: a shared libpython, a LINKFORSHARED, or LDFLAGS with a `-pie` of either kind. Only for
 * Linux, whose linkers know the flags.
 */
export function configureArguments(
  user: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  pie = false,
  platform: NodeJS.Platform = process.platform,
): readonly string[] {
  const variable = (name: string): string | undefined =>
    user.findLast((argument) => argument.startsWith(`${name}=`))?.slice(name.length + 1) ?? environment[name];
  const settled =
    user.some((argument) => LIBRARY_OPTIONS.test(argument)) ||
    variable('LINKFORSHARED') !== undefined ||
    /(^|[\s,])-(no-|static-)?pie\b/.test(variable('LDFLAGS') ?? '');
  if (platform !== 'linux' || settled) return user;
  if (!pie) return [...user, NON_PIE_LINK];
  return [...user, ...PIE.filter((argument) => variable(argument.split('=', 1)[0] ?? '') === undefined)];
}

/** The compiler that the arguments for configure or the environment select, if any. */
export function requestedCompiler(
  configure: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return (
    configure.findLast((argument) => argument.startsWith('CC='))?.slice('CC='.length) ?? environment['CC']
  );
}
