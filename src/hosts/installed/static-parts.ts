import {join} from 'node:path';
import {existsSync} from '../../fs/recorded-fs.js';
import {linkFlags} from '../../cpython/build/compile-flags.js';
import type {Installation} from '../../cpython/interpreter/installation/installation.js';
import {type Result, fail, ok} from '../../model/result.js';
import {quoteForShell, shellWords} from '../../model/shell-words.js';
import type {InstalledToolchain} from './installed-toolchain.js';

/** The parts of an installed Python for relinking it. Absolute paths. */
export interface StaticParts {
  /** Its main program. */
  readonly main: string;
  readonly archive: string;
}

/**
 * Finds them where `make install` puts them (Makefile.pre.in, libainstall). Fails with PYTHON when they are not
 * installed.
 * @param pie whether the archive has to be position-independent: Debian has another one for that
 */
export function findStaticParts(
  {target, variables}: Pick<Installation, 'target' | 'variables'>,
  pie: boolean,
): Result<StaticParts> {
  const {LIBPL, LIBRARY} = variables;
  const plain = join(LIBPL, LIBRARY);
  const independent = plain.replace(/\.a$/, '-pic.a');
  const archive = pie && existsSync(independent) ? independent : plain;
  const main = join(LIBPL, 'python.o');
  const missing = [archive, main].find((path) => LIBPL === '' || LIBRARY === '' || !existsSync(path));
  if (missing === undefined) return ok({main, archive});
  const {executable, version} = target;
  return fail('PYTHON', `cannot relink ${executable}: ${missing} not found`, {
    hint:
      `on Debian and Ubuntu, install the package libpython${version.series}-dev; ` +
      'for a Python without it, omit --method, or use flashfreeze overlay, which does not change the executable',
  });
}

/** The linker's command and flags, as the Python was linked, for an executable of the wanted address model. */
export function linkCommand({installation, addressModel, cc}: InstalledToolchain): string {
  const {CC, LINKCC, PY_CORE_LDFLAGS, LINKFORSHARED} = installation.variables;
  return [
    // A compiler that the user selected also links.
    cc.command === CC && LINKCC.trim() !== '' ? LINKCC : cc.command,
    quoteForShell(linkFlags(`${PY_CORE_LDFLAGS} ${LINKFORSHARED}`)),
    addressModel === 'absolute' ? '-no-pie' : '-pie',
    // Debian's archive holds intermediate code beside machine code: what we link is the latter, as it was built.
    '-fno-lto',
    ...(cc.compiler.family === 'gcc' ? ['-fno-use-linker-plugin'] : []),
  ].join(' ');
}

/** The libraries that the Python was linked with, as shell words. */
export function linkLibraries({variables}: Pick<Installation, 'variables'>): string {
  const {LIBS, MODLIBS, SYSLIBS} = variables;
  return quoteForShell(shellWords(`${LIBS} ${MODLIBS} ${SYSLIBS}`));
}

/** Makes the linker include all of an archive: extension modules need functions that nothing else calls. */
export function wholeArchive<T>(archive: T): readonly (T | string)[] {
  return ['-Wl,--whole-archive', archive, '-Wl,--no-whole-archive'];
}
