import {existsSync} from '../../../fs/recorded-fs.js';
import {type Failure, failure} from '../../../model/failure.js';
import {readExecutableNeeds} from './executable-form.js';

/**
 * What keeps this machine from running an executable that it could not run; undefined if nothing is known. An emulator may run
 * those of other machines, so it is asked afterwards.
 */
export async function whyNotRun(path: string): Promise<Failure | undefined> {
  const needs = await readExecutableNeeds(path);
  if (needs?.machine !== undefined && needs.machine !== process.arch) {
    const message = `cannot run ${path}: it is built for ${needs.machine}, and this machine is ${process.arch}`;
    return failure('PYTHON', message, {hint: 'run flashfreeze where that Python runs'});
  }
  if (needs?.loader !== undefined && !existsSync(needs.loader)) {
    const message = `cannot run ${path}: its dynamic linker ${needs.loader} is not on this machine`;
    return failure('PYTHON', message, {
      hint: 'it is built for another C library: run flashfreeze where that Python runs',
    });
  }
  return undefined;
}
