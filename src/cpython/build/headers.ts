import {join} from 'node:path';
import {existsSync, readTree} from '../../fs/recorded-fs.js';
import {fail, ok, type Result} from '../../model/result.js';

/** Below a directory of CPython's headers, where CPython's own C looks for internal ones (Makefile.pre.in, PY_CORE_CFLAGS). */
const INTERNAL = ['internal', 'internal/mimalloc'];

/** The directories below `root` that CPython's own C is compiled with, and the same with `label` in the place of `root`. */
export function headerFolders(
  root: string,
  label: string,
): readonly {readonly path: string; readonly label: string}[] {
  const below = INTERNAL.filter((folder) => existsSync(join(root, folder)));
  return ['', ...below].map((folder) => ({path: join(root, folder), label: join(label, folder)}));
}

/** All headers below a directory: paths relative to it, with slashes, sorted. Fails with PYTHON. */
export async function listHeaders(root: string): Promise<Result<readonly string[]>> {
  try {
    const names = (await readTree(root)).map(([name]) => name);
    return ok(names.filter((name) => name.endsWith('.h')).sort());
  } catch (error) {
    return fail('PYTHON', `cannot read the headers in ${root}: ${String(error)}`);
  }
}
