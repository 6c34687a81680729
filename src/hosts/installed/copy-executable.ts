import {constants} from 'node:fs';
import {chmod, copyFile} from 'node:fs/promises';
import {readExecutableNeeds} from '../../cpython/interpreter/installation/executable-form.js';
import {attempt} from '../../fs/files.js';
import {type Result, err} from '../../model/result.js';
import type {Patchelf} from './patchelf.js';

/**
 * Makes a copy of an executable that needs a library (`Need`). Fails with OUTPUT and LINK.
 * @param origin the directory in which the original is installed
 * @param out no file is there yet
 * @param name what failures call it
 */
export async function copyExecutable(
  {from, origin}: {readonly from: string; readonly origin: string},
  library: string,
  out: string,
  patchelf: Pick<Patchelf, 'need'>,
  name = out,
): Promise<Result<void>> {
  const copied = await attempt('write', name, async () => {
    await copyFile(from, out, constants.COPYFILE_EXCL);
    await chmod(out, 0o755);
  });
  if (!copied.ok) return err({...copied.failure, code: 'OUTPUT'});
  const needs = await readExecutableNeeds(from);
  return patchelf.need(out, {library, origin, lendsRunPath: needs?.lendsRunPath ?? false});
}
