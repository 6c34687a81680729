import {rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {existsSync, readdir} from '../../fs/recorded-fs.js';
import {ensureFolder} from '../../fs/files.js';
import type {Digest} from '../../model/digest.js';

/**
 * CPython's headers in the form that GCC has parsed them into: two thirds of the time of compiling an image go into reading
 * them. The object files are the same bytes with and without, so it is no input of any action: it is made when there is
 * much to compile, kept in the build directory, and done without where it cannot be made.
 */
export interface PrecompiledHeader {
  /** The flags that let one more compilation use it, if it is there; at the time when it pays, makes it first. */
  readonly flags: () => Promise<readonly string[]>;
}

/** Making it takes as long as four compilations save. */
const WORTH_IT = 4;
const PREFIX = 'headers-';

/**
 * @param work where it is kept
 * @param header the name that C files include it by
 * @param key identifies compiler, flags and headers: all that the result depends on
 * @param compile compiles the header to a path; tells whether it could
 */
export function createPrecompiledHeader(
  work: string,
  header: string,
  key: Digest,
  compile: (output: string) => Promise<boolean>,
): PrecompiledHeader {
  const name = `${PREFIX}${key.slice(0, 16)}`;
  const folder = join(work, name);
  const file = join(folder, `${header}.gch`);
  let isThere = existsSync(file);
  let asked = 0;

  async function make(): Promise<void> {
    const made = await ensureFolder(folder);
    if (!made.ok) return;
    const fresh = `${file}.${process.pid}.new`;
    if (await compile(fresh)) {
      await rename(fresh, file);
      isThere = true;
      await removeOthers();
    } else {
      await rm(fresh, {force: true});
    }
  }

  /** Those of other headers: each takes some twenty megabytes. */
  async function removeOthers(): Promise<void> {
    const others = (await readdir(work)).filter((each) => each.startsWith(PREFIX) && each !== name);
    await Promise.all(others.map((each) => rm(join(work, each), {recursive: true, force: true})));
  }

  return {
    async flags() {
      asked += 1;
      // A full disk, say: then compiling takes its time.
      if (!isThere && asked === WORTH_IT) await make().catch(() => undefined);
      return isThere ? [`-I${folder}`] : [];
    },
  };
}
