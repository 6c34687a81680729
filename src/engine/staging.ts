import {chmod, mkdir, readdir, rename, stat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {
  attempt,
  ensureFolder,
  hashFile,
  removeQuietly,
  uniqueSuffix,
  type FileContent,
} from '../cache/files.js';
import type {ActionSpec, OutputSpec} from '../model/action.js';
import {digestOf, type Digest} from '../model/digest.js';
import {ok, type Result} from '../model/result.js';

/** Temporary places for the outputs of one action: same file names, in temporary folders beside the final places. */
export interface Staging {
  /** Absolute paths by output name. */
  readonly paths: Readonly<Record<string, string>>;
  /** Removes what is left. */
  readonly clear: () => Promise<void>;
}

/** Makes staging places, for one build. */
export interface Stager {
  /** Fails with IO when a folder cannot be created. */
  readonly open: (spec: ActionSpec) => Promise<Result<Staging>>;
}

/**
 * Tools derive the names of further files from that of the output, and some write it into the output, so the names in
 * the temporary folders are the final ones. What a killed build left beside an output is removed when the next one
 * first works there; the build folder's lock sees to it that such a build is dead.
 */
export function createStager(buildDir: string): Stager {
  const prefix = `.flashfreeze-${digestOf(buildDir).slice(0, 8)}-`;
  const prepared = new Map<string, Promise<Result<void>>>();

  async function prepareFolder(folder: string): Promise<Result<void>> {
    const made = await ensureFolder(folder);
    if (!made.ok) return made;
    for (const name of await readdir(folder).catch(() => [])) {
      if (name.startsWith(prefix)) await removeQuietly(join(folder, name));
    }
    return ok();
  }

  return {
    async open(spec) {
      const places = new Map<string, string>();
      for (const {path} of spec.outputs) {
        const folder = dirname(path);
        if (!places.has(folder)) places.set(folder, join(folder, prefix + uniqueSuffix()));
      }
      for (const [folder, place] of places) {
        const ready = prepared.get(folder) ?? prepareFolder(folder);
        prepared.set(folder, ready);
        const made = await ready;
        if (!made.ok) return made;
        const created = await attempt('create', place, () => mkdir(place));
        if (!created.ok) return created;
      }
      const paths = Object.fromEntries(
        spec.outputs.map(({name, path}) => [name, join(places.get(dirname(path)) ?? '', basename(path))]),
      );
      const clear = async (): Promise<void> => {
        for (const place of places.values()) await removeQuietly(place);
      };
      return ok({paths, clear});
    },
  };
}

/** Moves a file to its final place, where a file that is the same already stays untouched. Fails with IO. */
export async function settle(from: string, output: OutputSpec, content: FileContent): Promise<Result<void>> {
  const mode = output.executable === true ? 0o755 : 0o644;
  return attempt('write', output.path, async () => {
    if (from === output.path || (await holds(output.path, content))) {
      if (((await stat(output.path)).mode & 0o777) !== mode) await chmod(output.path, mode);
      return;
    }
    await chmod(from, mode);
    await rename(from, output.path);
  });
}

/** Whether a file has this content. */
export async function holds(
  path: string,
  content: {readonly digest: Digest; readonly size?: number},
): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || (content.size !== undefined && found.size !== content.size)) return false;
  const actual = await hashFile(path);
  return actual.ok && actual.value.digest === content.digest;
}
