import {symlink} from 'node:fs/promises';
import {join} from 'node:path';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {withTemporaryFolder} from '../../fs/temporary-folder.js';
import type {Result} from '../../model/result.js';

/** What separates paths in LD_PRELOAD: there is no way to quote it (ld.so(8)). */
const SEPARATOR = /[ :]/;

/** Calls `use` with an interpreter into which the dynamic linker loads a library before all others. Fails as `use` does. */
export async function withPreloaded<T>(
  library: string,
  interpreter: Interpreter,
  use: (interpreter: Interpreter) => Promise<Result<T>>,
): Promise<Result<T>> {
  const preload = (path: string): Promise<Result<T>> =>
    use({...interpreter, environment: {...interpreter.environment, LD_PRELOAD: path}});
  if (!SEPARATOR.test(library)) return preload(library);
  return withTemporaryFolder('preload', async (folder) => {
    const link = join(folder, 'images.so');
    await symlink(library, link);
    return preload(link);
  });
}
