import {chmod, copyFile, readdir, utimes} from 'node:fs/promises';
import {join, normalize} from 'node:path';
import {removeEmptyDirectory} from '../fs/removal.js';
import {readRegular} from '../fs/regular-file.js';
import {attempt, hashFile, moveFile} from '../fs/files.js';
import {modulesOfSnapshot, seedOf} from '../hosts/snapshot/dump-request.js';
import {makeSnapshot} from '../hosts/snapshot/make-snapshot.js';
import {contentsOf, type SnapshotContents} from '../hosts/snapshot/snapshot-contents.js';
import {type Result, fail, ok} from '../model/result.js';
import type {Site} from '../pipeline/host.js';
import type {FreezePlan} from '../pipeline/modules/module-plan.js';
import {listTree} from './archive/tree.js';
import {EPOCH} from './installed-tree.js';
import {openReleaseRoot, TAKEN} from './release-root.js';

/** The environment of the processes: nothing of the user's. */
const ENVIRONMENT = {HOME: '/nonexistent', LANG: 'C.UTF-8', PATH: '/usr/local/bin:/usr/bin:/bin'};

export interface ReleaseSnapshotRequest {
  /** The installation, which gets the snapshot. */
  readonly tree: string;
  /** The file in it that is the interpreter. */
  readonly python: string;
  /** The directory that it is unpacked into. */
  readonly at: string;
  readonly plan: Pick<FreezePlan, 'imports'>;
  /** The build directory. */
  readonly root: string;
}

/** Fails with USAGE for a directory that no release can be unpacked into. */
export function checkPlace(at: string): Result<void> {
  const isTaken = TAKEN.some((taken) => `${at}/`.startsWith(`${taken}/`) || `${taken}/`.startsWith(`${at}/`));
  if (at.startsWith('/') && normalize(at) === at && at !== '/' && !at.endsWith('/') && !isTaken) return ok();
  return fail('USAGE', `--snapshot-at ${at}: a release cannot be unpacked there`, {
    hint: 'pass the absolute path that its top directory will have, such as /opt/python',
  });
}

/**
 * Puts a snapshot into the interpreter of an installation, for those who unpack it at `at`. It is the same, byte for byte, wherever it is made: the
 * processes see nothing but the installation, and the seed of string hashes is that of the executable. Fails as `makeSnapshot` and
 * `openReleaseRoot` do.
 */
export async function addReleaseSnapshot(
  {tree, python, at, plan, root}: ReleaseSnapshotRequest,
  site: Site,
): Promise<Result<SnapshotContents>> {
  const work = join(root, 'work', 'snapshot');
  const [plain, whole] = ['plain', 'whole'].map((name) => join(root, 'work', name)) as [string, string];
  const timed = await attempt('change the times of', tree, async () => {
    await copyFile(python, plain);
    await settleTree(tree);
  });
  if (!timed.ok) return timed;
  const digest = await hashFile(plain);
  if (!digest.ok) return digest;
  const inside = join(at, 'bin', 'python3');
  const opened = await openReleaseRoot({tree, at, python, work}, site);
  if (!opened.ok) return opened;
  const made = await makeSnapshot(
    {
      ...{executable: plain, python: inside, calledAs: inside, releasedAt: at},
      ...{
        entry: undefined,
        environment: ENVIRONMENT,
        folder: work,
        place: opened.value.place,
        modified: EPOCH,
      },
      modules: modulesOfSnapshot(plan),
      digest: digest.value.digest,
      seed: seedOf(digest.value.digest),
    },
    whole,
    site,
    (message) => {
      site.context.events.emit({type: 'notice', message});
    },
  ).finally(opened.value.close);
  if (!made.ok) return made;
  const contents = await attempt('read', whole, async () => contentsOf(await readRegular(whole)));
  if (!contents.ok) return contents;
  if (!contents.value.ok) return contents.value;
  const {snapshot} = contents.value.value;
  if (snapshot === undefined) return fail('BUG', 'the executable has no snapshot');
  const placed = await attempt('write', python, async () => {
    await chmod(whole, 0o755);
    return moveFile(whole, python);
  });
  if (!placed.ok) return placed;
  return placed.value.ok ? ok(snapshot) : placed.value;
}

/** What an archive keeps: files with the time of all releases, and no directory that is empty. */
async function settleTree(tree: string): Promise<void> {
  for (const {path, isLink} of await listTree(tree)) {
    if (!isLink) await utimes(join(tree, path), EPOCH, EPOCH);
  }
  const entries = await readdir(tree, {recursive: true, withFileTypes: true});
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map(({parentPath, name}) => join(parentPath, name));
  // Those that lie in others first.
  for (const folder of folders.sort((a, b) => b.length - a.length)) await removeEmptyDirectory(folder);
}
