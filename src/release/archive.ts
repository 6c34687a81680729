import {open, rm} from 'node:fs/promises';
import {attempt} from '../cache/files.js';
import {runProcess} from '../exec/process.js';
import type {Site} from '../hosts/host.js';
import {digestOf, type Digest} from '../model/digest.js';
import {err, fail, ok, type Result} from '../model/result.js';
import {END_OF_ARCHIVE, encodeEntry} from './tar.js';
import {listTree, readEntry} from './tree.js';

/** A file of a release: what the manifest tells of it. */
export type FileRecord =
  | {readonly path: string; readonly mode: number; readonly size: number; readonly sha256: Digest}
  | {readonly path: string; readonly link: string};

/**
 * Writes everything below `root` into `archive`, below a folder `top`, and compresses it: one thread, since xz cuts what
 * several threads compress into blocks. `archive` ends in `.tar`; the result is `.tar.xz`. Returns what went in.
 * Fails with IO, and with NO_TOOL when there is no xz.
 */
export async function writeArchive(
  root: string,
  top: string,
  archive: string,
  mtime: number,
  {environment, context}: Pick<Site, 'environment' | 'context'>,
): Promise<Result<readonly FileRecord[]>> {
  const written = await attempt('write', archive, async () => {
    const records: FileRecord[] = [];
    const file = await open(archive, 'w', 0o644);
    try {
      for (const each of await listTree(root)) {
        const entry = await readEntry(root, each);
        const {mode, content} = entry;
        const path = `${top}/${entry.path}`;
        await file.writeFile(encodeEntry({...entry, path}, mtime));
        records.push(
          'link' in content
            ? {path, link: content.link}
            : {path, mode, size: content.length, sha256: digestOf(content)},
        );
      }
      await file.writeFile(END_OF_ARCHIVE);
    } finally {
      await file.close();
    }
    await rm(`${archive}.xz`, {force: true});
    return records;
  });
  if (!written.ok) return written;
  const packed = await runProcess({
    file: 'xz',
    args: ['-T1', '-6', '--', archive],
    cwd: '/',
    environment,
    signal: context.signal,
  });
  if (!packed.ok) return err({...packed.failure, hint: 'install xz (the package xz-utils on Debian)'});
  if (packed.value.exitCode === 0) return ok(written.value);
  return fail('IO', `${archive} could not be compressed`, {details: packed.value.stderr});
}
