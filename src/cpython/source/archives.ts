import {mkdtemp, readdir, rename, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {runProcess} from '../../exec/process.js';
import {hashFile} from '../../fs/files.js';
import {readTree} from '../../fs/recorded-fs.js';
import {removeTree} from '../../fs/removal.js';
import type {Digest} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {NetworkRun} from './download.js';

/** The sha256 of a file's content. Rejects when it cannot be read. */
export async function digestOfFile(path: string): Promise<Digest> {
  const hashed = await hashFile(path);
  if (!hashed.ok) throw new Error(hashed.failure.message);
  return hashed.value.digest;
}

/**
 * Unpacks an archive that holds a single directory, so that this directory becomes `to`: all of it or nothing, since it is
 * unpacked beside and renamed. A `to` that is there already stays if it is what the archive holds, and is replaced otherwise. Fails with
 * NO_TOOL and DOWNLOAD.
 */
export async function unpack(archive: string, to: string, run: NetworkRun): Promise<Result<void>> {
  if (await isFolder(to)) {
    const same = await isUnpacked(archive, to, run);
    if (!same.ok) return same;
    if (same.value) return ok();
    await removeTree(to);
  }
  const beside = await mkdtemp(join(dirname(to), '.unpack-'));
  try {
    const done = await runProcess({
      file: 'tar',
      // As root, tar would give the files to the local owners of the archive's user ids.
      args: ['-x', '--no-same-owner', '-f', archive, '-C', beside],
      cwd: beside,
      environment: run.environment,
      signal: run.signal,
    });
    if (!done.ok) return done;
    if (done.value.exitCode !== 0) {
      return fail('DOWNLOAD', `tar cannot unpack ${archive}`, {
        details: done.value.stderr.trim(),
        hint: archive.endsWith('.xz') ? 'tar requires xz: install xz-utils' : undefined,
      });
    }
    const [folder, ...others] = await readdir(beside);
    if (folder === undefined || others.length > 0)
      return fail('DOWNLOAD', `${archive} is not a source archive`);
    try {
      await rename(join(beside, folder), to);
    } catch (error) {
      // Another run may have been faster.
      if (!(await isFolder(to))) return fail('IO', `cannot write ${to}: ${String(error)}`);
    }
    return ok();
  } finally {
    await removeTree(beside);
  }
}

/**
 * What `tar --compare` says of differences that are none: times, what the user's account and umask decide, and that the stripped
 * directory, whose name is empty, is not there.
 */
const NO_DIFFERENCE = / (Uid|Gid|Mode|Mod time) differs?$|^tar: : /;

/** Whether a directory holds what an archive's directory holds: the same files with the same content, and no others. */
async function isUnpacked(archive: string, folder: string, run: NetworkRun): Promise<Result<boolean>> {
  const tar = (...args: string[]): ReturnType<typeof runProcess> =>
    runProcess({
      file: 'tar',
      args: [...args, '--strip-components=1', '-f', archive, '-C', folder],
      cwd: folder,
      environment: {...run.environment, LC_ALL: 'C'},
      signal: run.signal,
    });
  const [compared, listed] = await Promise.all([
    tar('--compare'),
    tar('--list', '--show-transformed-names', '--quoting-style=literal'),
  ]);
  if (!compared.ok) return compared;
  if (!listed.ok) return listed;
  const said = `${compared.value.stdout}\n${compared.value.stderr}`.split('\n');
  const inArchive = new Set(listed.value.stdout.split('\n'));
  const others = (await readTree(folder)).filter(([path]) => !inArchive.has(path));
  return ok(said.every((line) => line === '' || NO_DIFFERENCE.test(line)) && others.length === 0);
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
