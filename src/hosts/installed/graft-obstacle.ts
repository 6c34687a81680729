import type {Installation} from '../../cpython/interpreter/installation/installation.js';
import {readExecutableNeeds} from '../../cpython/interpreter/installation/executable-form.js';
import {type Result, fail, ok} from '../../model/result.js';

/** Fails with PYTHON when images cannot get into a copy of a Python's executable: when that is no executable, or takes no library. */
export async function checkGraftable({
  target,
  baseExecutable,
  libpython,
}: Pick<Installation, 'target' | 'baseExecutable' | 'libpython'>): Promise<Result<void>> {
  const needs = await readExecutableNeeds(baseExecutable);
  const obstacle =
    needs === undefined
      ? 'it is a script or a wrapper, not an executable of ELF'
      : needs.loader === undefined
        ? 'it is linked statically, and cannot load a library'
        : libpython === null && !needs.hasSymbol('PyImport_Inittab')
          ? 'it exports no symbols of Python to libraries'
          : undefined;
  if (obstacle === undefined) return ok();
  return fail('PYTHON', `cannot graft a copy of ${baseExecutable}: ${obstacle}`, {
    hint:
      needs === undefined
        ? `pass the executable that it runs: python${target.version.series} of the directory ${target.prefix}/bin, for example`
        : 'use a Python that loads extension modules, or build one from source (flashfreeze build)',
  });
}
