import {basename, join} from 'node:path';
import {isTemporary} from '../fs/files.js';
import {type Directory, type MayRemove, removeEmptyDirectory, removeEntry} from '../fs/removal.js';
import {isDigest} from '../model/digest.js';
import {fail, ok, type Result} from '../model/result.js';
import {
  CONTENTS,
  inDirectory,
  isShard,
  type Layout,
  listNames,
  removable,
  RESULTS,
  TEMPORARIES,
} from './store-layout.js';
import {memoryFile} from './tidy.js';

/**
 * Removes what is in the place of a result or of a file, at its path in the store: a file, a link, or an empty directory. Whether it is gone now.
 * A directory with content was not made by a store, and another user could have moved it there.
 */
export async function removeStored(layout: Layout, path: string): Promise<boolean> {
  const [, part, shard, name] = /([^/]+)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (part === undefined || shard === undefined || name === undefined) return false;
  const isGone = await inDirectory(
    layout.root,
    [part, shard],
    async ({at}) => (await removeEntry(at, name, fileOf(layout))) || removeEmptyDirectory(join(at, name)),
  );
  return isGone === true;
}

/** What may be removed, except directories. */
function fileOf(layout: Layout): MayRemove {
  const may = removable(layout);
  return (stats) => !stats.isDirectory() && may(stats);
}

/**
 * Removes all results and files of a store, and nothing else: the directory may have others, also below directories of the same names, such as
 * `tmp`. Fails with IO when something is left that could be removed.
 */
export async function clearStore(layout: Layout): Promise<Result<void>> {
  const {root} = layout;
  const left: string[] = [];
  async function removeFiles({at}: Directory, names: readonly string[], path: string): Promise<void> {
    for (const name of names) if (!(await removeEntry(at, name, fileOf(layout)))) left.push(join(path, name));
  }
  for (const part of [RESULTS, CONTENTS]) {
    await inDirectory(root, [part], async ({at}) => {
      for (const shard of (await listNames(at)).filter(isShard)) {
        await inDirectory(root, [part, shard], async (directory) =>
          removeFiles(directory, (await listNames(directory.at)).filter(isDigest), join(root, part, shard)),
        );
        await removeEmptyDirectory(join(at, shard));
      }
    });
  }
  await inDirectory(root, [TEMPORARIES], async (directory) =>
    removeFiles(directory, (await listNames(directory.at)).filter(isTemporary), layout.temporary),
  );
  await inDirectory(root, [], (directory) => removeFiles(directory, [basename(memoryFile(layout))], root));
  // What is left of a shared store belongs to others.
  if (left.length === 0 || layout.sharedMode !== undefined) return ok();
  return fail('IO', `cannot remove ${left[0] ?? ''}`);
}
