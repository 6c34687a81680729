import {join} from 'node:path';
import {clearPath} from '../../fs/removal.js';
import {readTree, stat} from '../../fs/recorded-fs.js';

/** Files that make's own commands write. */
const PRODUCT =
  /(\.(o|a|so|dylib|h|c)|\/(python(\.exe)?|_bootstrap_python|_freeze_module|_testembed|pybuilddir\.txt|_sysconfigdata[^/]*\.py))$/;
/** Files that configure wrote; make would not write them again. */
const CONFIGURED = /\/(pyconfig\.h|Modules\/config\.c)$/;
/** Files written within this time (in milliseconds) before the newest one may be incomplete. */
const WINDOW_MS = 2000;

/**
 * Repairs a build directory in which make was killed: `mark` exists when a run began there and never ended. A file that was
 * just being written then looks up to date to make, and would be linked although it is incomplete, so the newest products
 * are removed. Making a few of them again is cheap.
 */
export async function removeHalfWritten(buildDir: string, mark: string): Promise<void> {
  if ((await stat(mark).catch(() => undefined)) === undefined) return;
  const names = (await readTree(buildDir)).map(([name]) => join(buildDir, name));
  const products = names.filter((name) => PRODUCT.test(name) && !CONFIGURED.test(name));
  const files = await Promise.all(products.map(async (path) => ({path, time: (await stat(path)).mtimeMs})));
  const newest = Math.max(...files.map(({time}) => time));
  await Promise.all(files.filter(({time}) => time > newest - WINDOW_MS).map(({path}) => clearPath(path)));
}
