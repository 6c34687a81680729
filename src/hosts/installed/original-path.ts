import {dirname, join} from 'node:path';
import {copyFindsLibrary} from '../../cpython/interpreter/installation/interpreter-paths.js';
import {existsSync} from '../../fs/recorded-fs.js';
import {memoize} from '../../fs/memo.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {isBoolean, schemaOf} from '../../model/shape.js';
import {type Result, ok} from '../../model/result.js';
import type {Places} from '../../pipeline/build-places.js';
import type {InstalledToolchain} from './installed-toolchain.js';

/**
 * The path by which a copy of a Python's executable has to start to find the standard library: that of the original, if the Python was moved
 * and the copy lies elsewhere. Undefined if the copy finds it by its own path. Fails as `memoize` does.
 */
export async function programNameOf(
  out: string,
  {installation, interpreter}: Pick<InstalledToolchain, 'installation' | 'interpreter'>,
  places: Places,
): Promise<Result<string | undefined>> {
  const {baseExecutable, libpython} = installation;
  const folder = dirname(out);
  // A virtual environment says where its Python is.
  const isEnvironment = [folder, dirname(folder)].some((each) => existsSync(join(each, 'pyvenv.cfg')));
  if (isEnvironment || folder === dirname(baseExecutable)) return ok(undefined);
  const found = await memoize(
    join(places.work, 'copy.json'),
    canonicalJson({baseExecutable}),
    schemaOf<boolean>(isBoolean),
    async () => {
      const files = [baseExecutable, ...(libpython === null ? [] : [libpython])];
      return ok({answer: await copyFindsLibrary(installation, interpreter), files});
    },
  );
  if (!found.ok) return found;
  return ok(found.value ? undefined : baseExecutable);
}
