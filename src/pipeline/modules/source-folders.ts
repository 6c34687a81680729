import {basename, dirname} from 'node:path';
import {readEntries} from '../../fs/recorded-fs.js';
import {digestOf} from '../../model/digest.js';
import {canonicalJson} from '../../model/canonical-json.js';

/**
 * The directories in which sources can appear and disappear: those that hold them, and those that hold packages; not their
 * trees.
 * @param sources absolute paths
 */
export function foldersOf(sources: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const source of sources) {
    const folder = dirname(source);
    folders.add(folder);
    // A removed package would come back in its parent directory.
    if (basename(source) === '__init__.py') folders.add(dirname(folder));
  }
  return folders;
}

/** Whether an entry of such a directory may be Python source, or a package. */
export function mayBeSource(name: string, kind: 'file' | 'folder'): boolean {
  if (kind === 'file') return name.endsWith('.py') && !name.startsWith('.');
  // Whatever has no dot can be imported, if not with an import statement.
  return name !== '__pycache__' && !name.includes('.');
}

/** A digest of the names of possible Python sources in these directories; an unreadable one counts as empty. */
export async function listingDigest(folders: readonly string[]): Promise<string> {
  const listings = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const entries = await readEntries(folder).catch(() => []);
      const names = entries
        .filter((entry) => mayBeSource(entry.name, entry.isDirectory() ? 'folder' : 'file'))
        .map(({name}) => name);
      return [folder, names.sort()] as const;
    }),
  );
  return digestOf(canonicalJson(listings));
}
