import type {Stats} from 'node:fs';
import {rename, symlink} from 'node:fs/promises';
import {dirname, relative, resolve} from 'node:path';
import {lstat, readlink, recordWritten} from '../../fs/recorded-fs.js';
import {ensureFolder, temporaryIn} from '../../fs/files.js';
import {removeFile} from '../../fs/removal.js';
import {type Result, err, fail, ok} from '../../model/result.js';

/**
 * Puts the new interpreter at its output path. A CPython that is not installed finds its library through the directory that
 * its executable really lies in (Modules/getpath.py, pybuilddir.txt), so another place gets a symbolic link.
 * Fails with OUTPUT.
 */
export async function placeOutput(out: string | undefined, executable: string): Promise<Result<string>> {
  const wanted = out === undefined ? executable : resolve(out);
  if (wanted === executable) return ok(wanted);
  try {
    const there = await lstat(wanted).catch(() => undefined);
    const replaceable = checkReplaceable(wanted, there);
    if (!replaceable.ok) return replaceable;
    if (await leadsTo(wanted, there, executable)) return ok(wanted);
    const folder = await ensureFolder(dirname(wanted));
    if (!folder.ok) throw new Error(folder.failure.message);
    const fresh = temporaryIn(dirname(wanted));
    await symlink(relative(dirname(wanted), executable), fresh);
    try {
      await rename(fresh, wanted);
    } catch (error) {
      await removeFile(fresh);
      throw error;
    }
    recordWritten(wanted, 'link');
    return ok(wanted);
  } catch (error) {
    return err({
      code: 'OUTPUT',
      message: `cannot write ${wanted}: ${String(error)}`,
      hint: 'use an --out that is writable',
    });
  }
}

/** Where `placeOutput` would put the interpreter, and whether it has to. */
export async function predictOutput(
  out: string | undefined,
  executable: string,
): Promise<{readonly output: string; readonly pending: boolean}> {
  const output = out === undefined ? executable : resolve(out);
  const there = output === executable ? undefined : await lstat(output).catch(() => undefined);
  return {output, pending: output !== executable && !(await leadsTo(output, there, executable))};
}

async function leadsTo(link: string, there: Stats | undefined, executable: string): Promise<boolean> {
  return there?.isSymbolicLink() === true && resolve(dirname(link), await readlink(link)) === executable;
}

/**
 * Whether the output may replace an existing entry: a file or a link. Root could replace a device
 * (`--out /dev/null`), which would break the system. Fails with OUTPUT.
 */
export function checkReplaceable(path: string, there: Stats | undefined): Result<void> {
  if (there === undefined || there.isFile() || there.isSymbolicLink()) return ok();
  return fail('OUTPUT', `${path} is ${there.isDirectory() ? 'a directory' : 'not a file'}`, {
    hint: 'pass the path of a file to --out',
  });
}
