import {chmodSync, renameSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {
  attempt,
  ensureFolder,
  hashFile,
  removeQuietly,
  uniqueSuffix,
  type FileContent,
} from '../../fs/files.js';
import {removeEmptyDirectory} from '../../fs/removal.js';
import type {OutputSpec} from '../../model/action.js';
import type {ActionSpec} from '../../model/action-spec.js';
import {digestOf, type Digest} from '../../model/digest.js';
import {ok, type Result} from '../../model/result.js';
import {statFile} from '../../fs/path-state.js';

/** Temporary places for the outputs of one action: same file names, in temporary directories beside the final places. */
export interface Staging {
  /** Absolute paths by output name. */
  readonly paths: Readonly<Record<string, string>>;
  /** Removes what is left. */
  readonly clear: () => Promise<void>;
}

/** Makes staging places, for one build. */
export interface Stager {
  /** Fails with IO when a directory cannot be created. */
  readonly open: (spec: ActionSpec) => Promise<Result<Staging>>;
}

/** The temporary directory in a directory of outputs: there as long as an action uses it. */
interface Place {
  /** Known when it is ready. */
  path: string;
  users: number;
  /** Creation and removal, one after the other. */
  ready: Promise<Result<void>>;
}

/** In the build directory, whose lock keeps every other build out. */
const OWN = '.flashfreeze-own';

/**
 * Tools derive the names of further files from that of the output, and some write it into the output, so the names in
 * the temporary directories are the final ones; no two actions of a build write the same file. In the build directory, the path is the same in each
 * build: a compiler launcher that shares results finds them by it (recc). Elsewhere others may write, too, so nobody can guess the name.
 * What a killed build left beside an output is removed when the next one first works there; the build directory's lock sees to it that such a
 * build is dead. Its tools may live a moment longer, so the next build uses another name than theirs.
 */
export function createStager(buildDir: string): Stager {
  const foreign = `.flashfreeze-${digestOf(buildDir).slice(0, 8)}-`;
  const places = new Map<string, Place>();

  function placeIn(folder: string): Place {
    const known = places.get(folder);
    if (known !== undefined) return known;
    const isOwn = `${folder}/`.startsWith(`${buildDir}/`);
    const prefix = isOwn ? OWN : foreign;
    const unique = join(folder, prefix + uniqueSuffix());
    const place: Place = {path: isOwn ? join(folder, OWN) : unique, users: 0, ready: Promise.resolve(ok())};
    place.ready = sweep(folder, prefix).then((left) => {
      if (left > 0) place.path = unique;
      return ok();
    });
    places.set(folder, place);
    return place;
  }

  async function enter(place: Place): Promise<Result<void>> {
    place.users += 1;
    if (place.users === 1) place.ready = place.ready.then(() => ensureFolder(place.path, 0o700));
    return place.ready;
  }

  async function leave(place: Place): Promise<void> {
    place.users -= 1;
    if (place.users === 0) place.ready = place.ready.then(() => removeFolder(place.path));
    await place.ready;
  }

  return {
    async open(spec) {
      const used = new Set(spec.outputs.map(({path}) => placeIn(dirname(path))));
      const entered = await Promise.all([...used].map(enter));
      const paths: Record<string, string> = {};
      for (const {name, path} of spec.outputs)
        paths[name] = join(placeIn(dirname(path)).path, basename(path));
      const clear = async (): Promise<void> => {
        for (const path of Object.values(paths)) if (statFile(path) !== undefined) await removeQuietly(path);
        for (const place of used) await leave(place);
      };
      const failed = entered.find((result) => !result.ok);
      if (failed === undefined) return ok({paths, clear});
      await clear();
      return failed;
    },
  };
}

/** Removes from a directory what an earlier build left that was killed: what has a name that begins with `prefix`. Returns how many there were. */
export async function sweep(folder: string, prefix: string): Promise<number> {
  const left = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(prefix));
  for (const name of left) await removeQuietly(join(folder, name));
  return left.length;
}

/** Most temporary directories are empty in the end, which takes one call to remove instead of several. */
async function removeFolder(path: string): Promise<Result<void>> {
  if (!(await removeEmptyDirectory(path))) await removeQuietly(path);
  return ok();
}

/** Moves a file to its final place, where a file that is the same already stays untouched. Fails with IO. */
export async function settle(from: string, output: OutputSpec, content: FileContent): Promise<Result<void>> {
  const mode = output.executable === true ? 0o755 : 0o644;
  return attempt('write', output.path, async () => {
    const stays = from === output.path || (await holds(output.path, content));
    const file = stays ? output.path : from;
    if (statFile(file)?.mode !== mode) chmodSync(file, mode);
    if (!stays) renameSync(from, output.path);
  });
}

/** Whether a file has this content. Reads it only when its size leaves that open. */
export async function holds(
  path: string,
  content: {readonly digest: Digest; readonly size?: number},
): Promise<boolean> {
  const found = statFile(path);
  if (found === undefined || (content.size !== undefined && found.size !== content.size)) return false;
  const actual = await hashFile(path);
  return actual.ok && actual.value.digest === content.digest;
}
