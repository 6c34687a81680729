import {rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {removeFile} from '../../fs/removal.js';
import {readdir, stat} from '../../fs/recorded-fs.js';
import {attempt, ensureFolder} from '../../fs/files.js';
import {withPrivateFolder} from '../../fs/fresh-file.js';
import {type ProcessSpec, runProcess} from '../../exec/process.js';
import type {Artifact, ToolIdentity} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {type Result, err, ok} from '../../model/result.js';
import {responseFile} from './make-files.js';

export interface PrelinkRequest extends Pick<ProcessSpec, 'cwd' | 'environment' | 'signal'> {
  /** The compiler, which calls the linker, as shell words. */
  readonly compiler: string;
  readonly tools: readonly ToolIdentity[];
  /** Where groups are kept. */
  readonly folder: string;
}

/** How long a make may still use a group that it was given (milliseconds). */
const MAY_BE_LINKED_MS = 60_000;
/** Modules in a group. An edit costs the link of one group, and reading all of them. */
const GROUP_SIZE = 40;
/** Symbols that no other object refers to are dropped. */
const FLAGS = '-r -nostdlib -Wl,--force-group-allocation -Wl,--discard-all';

/**
 * Links the objects of images in groups. Half of the time of a link goes into the hundred section groups and five hundred
 * symbols of each image; a group of images has none of the former and few of the latter, and an edit changes one group. A
 * string that several groups have is there several times, and used once.
 *
 * Groups are kept under names with the digest of their inputs and their size, so that a truncated one is not mistaken
 * for a complete one.
 * @returns absolute paths, in the order of the objects: of groups, or of the objects where the linker makes no groups
 * Fails with OUTPUT, IO, NO_TOOL and PROCESS.
 */
export async function prelink(
  objects: readonly Artifact[],
  request: PrelinkRequest,
): Promise<Result<readonly string[]>> {
  const {folder} = request;
  const ensured = await ensureFolder(folder);
  if (!ensured.ok) return err({...ensured.failure, code: 'OUTPUT'});
  const kept = await readdir(folder);
  const names: string[] = [];
  for (const members of inGroups(objects)) {
    const prefix = keyOf(members, request);
    const known = await findWhole(kept, prefix, folder);
    const made = known === undefined ? await linkGroup(members, prefix, request) : ok(known);
    if (!made.ok) return made;
    if (made.value === undefined) return ok(objects.map(({path}) => path));
    names.push(made.value);
  }
  await removeStale(
    kept.filter((name) => !names.includes(name)),
    folder,
  );
  return ok(names.map((name) => join(folder, name)));
}

async function removeStale(names: readonly string[], folder: string): Promise<void> {
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > MAY_BE_LINKED_MS) {
      await removeFile(join(folder, name));
    }
  }
}

/** Groups of about equal size. */
function inGroups(objects: readonly Artifact[]): readonly (readonly Artifact[])[] {
  const count = Math.ceil(objects.length / GROUP_SIZE);
  const start = (group: number): number => Math.floor((group * objects.length) / count);
  return Array.from({length: count}, (_, group) => objects.slice(start(group), start(group + 1)));
}

/** What decides the content of a group. */
function keyOf(members: readonly Artifact[], {compiler, tools}: PrelinkRequest): string {
  const digests = [...tools, ...members].map(({digest}) => digest);
  return digestOf([compiler, FLAGS, ...digests].join('\n')).slice(0, 32);
}

const nameOf = (prefix: string, size: number): string => `${prefix}-${size}.o`;

async function findWhole(
  names: readonly string[],
  prefix: string,
  folder: string,
): Promise<string | undefined> {
  const name = names.find((each) => each.startsWith(`${prefix}-`));
  if (name === undefined) return undefined;
  const size = await stat(join(folder, name)).then(
    (found) => (found.isFile() ? found.size : -1),
    () => -1,
  );
  return name === nameOf(prefix, size) ? name : undefined;
}

/** The name of the new group; undefined when the linker cannot make it. */
async function linkGroup(
  members: readonly Artifact[],
  prefix: string,
  {compiler, folder, cwd, environment, signal}: PrelinkRequest,
): Promise<Result<string | undefined>> {
  return withPrivateFolder(folder, async (own) => {
    const [fresh, list] = [join(own, 'new.o'), join(own, 'new.txt')];
    const listed = await attempt('write', list, () =>
      writeFile(list, responseFile(members.map(({path}) => path))),
    );
    if (!listed.ok) return listed;
    const args = ['-c', `${compiler} ${FLAGS} -o "$0" "@$1"`, fresh, list];
    const done = await runProcess({file: 'sh', args, cwd, environment, signal});
    if (!done.ok) return done;
    if (done.value.exitCode !== 0) return ok(undefined);
    return attempt('write', folder, async () => {
      const name = nameOf(prefix, (await stat(fresh)).size);
      await rename(fresh, join(folder, name));
      return name;
    });
  });
}
