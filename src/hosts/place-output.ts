import {lstat, readlink, rename, rm, symlink} from 'node:fs/promises';
import {dirname, relative, resolve} from 'node:path';
import {ensureFolder} from '../cache/files.js';
import {type Result, err, fail, ok} from '../model/result.js';

/**
 * Puts the new interpreter where it is wanted. A CPython that is not installed finds its library through the folder that
 * its executable really lies in (Modules/getpath.py, pybuilddir.txt), so another place gets a symbolic link.
 * Fails with OUTPUT.
 */
export async function placeOutput(
  out: string | undefined,
  executable: string,
  dryRun: boolean,
): Promise<Result<string>> {
  const wanted = out === undefined ? executable : resolve(out);
  if (wanted === executable || dryRun) return ok(wanted);
  try {
    const there = await lstat(wanted).catch(() => undefined);
    if (there?.isDirectory() === true) {
      return fail('OUTPUT', `${wanted} is a folder.`, {hint: 'give --out the name of a file'});
    }
    if (there?.isSymbolicLink() === true && resolve(dirname(wanted), await readlink(wanted)) === executable) {
      return ok(wanted);
    }
    const folder = await ensureFolder(dirname(wanted));
    if (!folder.ok) throw new Error(folder.failure.message);
    const fresh = `${wanted}.${process.pid}.new`;
    await rm(fresh, {force: true});
    await symlink(relative(dirname(wanted), executable), fresh);
    await rename(fresh, wanted);
    return ok(wanted);
  } catch (error) {
    return err({
      code: 'OUTPUT',
      message: `${wanted} cannot be written: ${String(error)}`,
      hint: 'give an --out that you may write to',
    });
  }
}
