import {join} from 'node:path';
import {removeTree} from '../../fs/removal.js';
import {isFileSync, readdir} from '../../fs/recorded-fs.js';
import {withoutRecording} from '../../fs/recording.js';
import {ensureFolder} from '../../fs/files.js';
import {replaceByProgram} from '../../fs/fresh-file.js';
import type {Digest} from '../../model/digest.js';
import {fail, ok} from '../../model/result.js';

/**
 * A precompiled header of CPython's headers: half of the time of compiling the runtime goes into parsing them. The object files have the same bytes with and without it, so it is not an input of any action: it is made when there is
 * much to compile, kept in the build directory, and omitted if it cannot be made.
 */
export interface PrecompiledHeader {
  /** The flags with which one more compilation uses it, if it exists. Makes it first when that saves time. */
  readonly flags: () => Promise<readonly string[]>;
}

/** Making it takes as long as four compilations save. */
const WORTH_IT = 4;
const PREFIX = 'headers-';

/**
 * @param work the directory in which it is kept
 * @param header the name that C files include it by
 * @param key identifies compiler, flags and headers: everything that the result depends on
 * @param compile compiles the header to a path; returns whether it succeeded
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
  // It only saves time, and is made when an action misses it.
  let isThere = withoutRecording(() => isFileSync(file));
  let asked = 0;

  async function make(): Promise<void> {
    const made = await ensureFolder(folder);
    if (!made.ok) return;
    // Why it failed is of no interest: compilation is slower then.
    const failed = fail('CC', 'cannot precompile the header');
    const done = await replaceByProgram(file, {
      write: async (path) => ((await compile(path)) ? ok() : failed),
    });
    if (!done.ok) return;
    isThere = true;
    await removeOthers();
  }

  /** Precompiled forms of other headers: each takes some twenty megabytes. */
  async function removeOthers(): Promise<void> {
    const others = (await readdir(work)).filter((each) => each.startsWith(PREFIX) && each !== name);
    await Promise.all(others.map((each) => removeTree(join(work, each))));
  }

  return {
    async flags() {
      asked += 1;
      // For example a full disk: then compilation is slower.
      if (!isThere && asked === WORTH_IT) await make().catch(() => undefined);
      return isThere ? [`-I${folder}`] : [];
    },
  };
}
