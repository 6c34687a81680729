import {createWriteStream} from 'node:fs';
import {pipeline} from 'node:stream/promises';
import {clearFile} from '../../fs/removal.js';
import {attempt} from '../../fs/files.js';
import {type ProcessSpec, runProcess} from '../../exec/process.js';
import {digestOf, type Digest} from '../../model/digest.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {type TarEntry, tarOf} from './tar.js';
import {listTree, readEntry} from './tree.js';

/** A file of a release, as in the manifest. */
export type FileRecord =
  | {readonly path: string; readonly mode: number; readonly size: number; readonly sha256: Digest}
  | {readonly path: string; readonly link: string};

/**
 * Writes everything below `root` into `archive`, below a directory `top`, and compresses it: one thread, since xz cuts what
 * several threads compress into blocks. `archive` ends in `.tar`; the result is `.tar.xz`. Returns what went in.
 * Fails with IO, and with NO_TOOL when there is no xz.
 */
export async function writeArchive(
  root: string,
  top: string,
  archive: string,
  mtime: number,
  {environment, signal}: Pick<ProcessSpec, 'environment' | 'signal'>,
): Promise<Result<readonly FileRecord[]>> {
  const records: FileRecord[] = [];
  async function* entries(): AsyncGenerator<TarEntry> {
    for (const each of await listTree(root)) {
      const entry = await readEntry(root, each);
      const path = `${top}/${entry.path}`;
      records.push(recordOf({...entry, path}));
      yield {...entry, path};
    }
  }
  const written = await attempt('write', archive, async () => {
    await pipeline(tarOf(entries(), mtime), createWriteStream(archive, {mode: 0o644}));
    await clearFile(`${archive}.xz`);
  });
  if (!written.ok) return written;
  const packed = await runProcess({
    file: 'xz',
    args: ['-T1', '-6', '--', archive],
    cwd: '/',
    environment,
    signal,
  });
  if (!packed.ok) return err({...packed.failure, hint: 'install xz (the package xz-utils on Debian)'});
  if (packed.value.exitCode === 0) return ok(records);
  return fail('IO', `cannot compress ${archive}`, {details: packed.value.stderr});
}

/** A file as in the manifest. */
export function recordOf({path, mode, content}: TarEntry): FileRecord {
  if ('link' in content) return {path, link: content.link};
  return {path, mode, size: content.length, sha256: digestOf(content)};
}
