import {mkdir, rename, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {readdir, readFile, stat} from '../../fs/recorded-fs.js';
import {attempt, hashFile, uniqueSuffix} from '../../fs/files.js';
import {clearFile} from '../../fs/removal.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {type Asked, askExecutable} from './ask-executable.js';
import {snapshotIn} from './append-snapshot.js';
import {readHeader} from './dump-format.js';
import {changedFiles, writeState} from './file-states.js';
import {sealHeader} from './header-checksum.js';
import {contentsOf, type SnapshotContents} from './snapshot-contents.js';

/** How many snapshots of earlier states a build directory keeps. */
const KEPT = 3;

/** What a snapshot is made of, but for what its imports looked at. */
export interface Wanted extends Omit<Asked, 'file'> {
  /** The digest of the executable without a snapshot. */
  readonly executable: string;
  /** The digest of the scripts that run in the processes of the imports. */
  readonly scripts: string;
  readonly modules: readonly string[];
}

/** Keeps an executable with a snapshot that is no longer up to date: its surroundings may come back. */
export async function keepSnapshot(path: string, folder: string): Promise<void> {
  await attempt('keep', path, async () => {
    await mkdir(folder, {recursive: true});
    await rename(path, join(folder, `${Date.now()}-${uniqueSuffix()}`));
  });
}

/** Removes all but the executables that were kept last. */
export async function trimKept(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const keptAt = (name: string): number => Number(/^\d+/.exec(name)?.[0] ?? 0);
  const oldest = [...names].sort((a, b) => keptAt(a) - keptAt(b)).slice(0, Math.max(0, names.length - KEPT));
  for (const name of oldest) await attempt('remove', name, () => clearFile(join(folder, name)));
}

/**
 * Moves a kept executable to `out` that is the one which is wanted, and whose imports would look at the same as then. Returns whether
 * there is one. Sources that were written again with the same content count as the same.
 */
export async function takeKept(
  wanted: Wanted,
  folder: string,
  out: string,
  context: Pick<HostContext, 'cwd' | 'signal'>,
): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const file = join(folder, name);
    const taken = await attempt('read', file, async () => {
      const executable = await readFile(file);
      const read = contentsOf(executable);
      const contents = read.ok ? read.value.snapshot : undefined;
      if (contents === undefined || !isSnapshotOf(contents, wanted)) return false;
      if (!(await renewStates(executable, file, contents))) return false;
      if ((await askExecutable({...wanted, file}, context)) !== 'restored') return false;
      await rename(file, out);
      return true;
    });
    if (taken.ok && taken.value) return true;
  }
  return false;
}

/** Whether a snapshot is the one that is wanted, but for what its imports looked at. */
export function isSnapshotOf(
  contents: SnapshotContents,
  {executable, scripts, calledAs, modules}: Omit<Wanted, 'environment'>,
): boolean {
  const own = [contents.executable, contents.scripts, contents.calledAs, ...contents.selected];
  return own.join('\n') === [executable, scripts, calledAs, ...modules].join('\n');
}

/** Writes the states of files that have the content which they had into the file. False where another file has changed. */
async function renewStates(executable: Buffer, file: string, contents: SnapshotContents): Promise<boolean> {
  const changed = changedFiles(contents.bytes);
  for (const path of changed) {
    const known = contents.digests[path];
    const now = known === undefined ? undefined : await hashFile(path);
    if (now?.ok !== true || now.value.digest !== known) return false;
  }
  if (changed.length === 0) return true;
  // A part of `executable`: what is written there is written into the file.
  const snapshot = snapshotIn(executable);
  if (snapshot === undefined) return false;
  const header = readHeader(snapshot);
  if (!header.ok || !changed.every((path) => writeState(snapshot, path))) return false;
  sealHeader(snapshot, header.value);
  const {mtime} = await stat(file);
  await writeFile(file, executable);
  await utimes(file, mtime, mtime);
  return true;
}
