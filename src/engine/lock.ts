import {link, lstat, readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {attempt, ensureFolder, removeQuietly, temporaryIn} from '../fs/files.js';
import {emptyFile} from '../fs/fresh-file.js';
import {removeLeftovers} from '../fs/leftovers.js';
import {liveness, ownIdentity, type ProcessIdentity} from '../exec/liveness.js';
import {errnoOf} from '../model/errno.js';
import {checkBuildDirOwner} from './build-dir-owner.js';
import {failure, type Failure} from '../model/failure.js';
import {err, fail, ok, type Result} from '../model/result.js';
import {isText, objectWith, optional, schemaOf} from '../model/shape.js';
import {readValidJson} from '../fs/read-json.js';

/**
 * One build at a time per build directory.
 *
 * The lock is a sequence of generations, files `lock/1`, `lock/2`, …; the highest one counts. It names its holder, or is
 * empty if the holder released it. Taking the lock means creating the next generation, which the file system grants to one
 * only (`link` never replaces). The highest generation is never removed, so a process that decided on outdated information either
 * finds the next number taken, or sees a higher one afterwards and withdraws: a dead holder is succeeded by exactly one.
 */
export interface Lock {
  /** Lets others in. */
  readonly release: () => Promise<void>;
}

interface Holder extends ProcessIdentity {
  /** When the lock was taken, ISO 8601. */
  readonly since: string;
}

/** Each further attempt means that another process took and released the lock meanwhile. */
const ATTEMPTS = 50;
/** No lock was taken so often; names with greater numbers are no generations. */
const MOST = 1e12;

/**
 * Takes the lock of a build directory, which is created if need be. Fails with LOCKED, which says who holds it, with OUTPUT for a
 * directory of another user who is not trusted, or with IO.
 */
export async function acquireLock(
  buildDir: string,
  {trustOthers = false}: {readonly trustOthers?: boolean | undefined} = {},
): Promise<Result<Lock>> {
  const owned = await checkBuildDirOwner(buildDir, trustOthers);
  if (!owned.ok) return owned;
  const folder = join(buildDir, 'lock');
  // Whatever else is in its place is no lock of anybody.
  const there = await lstat(folder).catch(() => undefined);
  if (there !== undefined && !there.isDirectory()) await removeQuietly(folder);
  const made = await ensureFolder(folder);
  if (!made.ok) return made;
  for (let round = 0; round < ATTEMPTS; round += 1) {
    const highest = Math.max(0, ...(await generations(folder)));
    const holder = await readHolder(join(folder, String(highest)));
    if (holder !== undefined && liveness(holder) !== 'ended') {
      return err(lockedBy(buildDir, holder, join(folder, String(highest))));
    }
    if (highest >= MOST) {
      return fail('IO', `cannot lock the build directory ${buildDir}`, {hint: `remove ${folder}`});
    }
    const mine = join(folder, String(highest + 1));
    const taken = await create(folder, mine);
    if (!taken.ok) return taken;
    if (!taken.value) continue;
    const all = await generations(folder);
    if (Math.max(...all) > highest + 1) {
      await removeQuietly(mine);
      continue;
    }
    for (const old of all.filter((generation) => generation <= highest)) {
      await removeQuietly(join(folder, String(old)));
    }
    // The lock is ours: what is left there is of runs that were killed.
    await removeLeftovers([buildDir, folder, join(buildDir, 'work')]);
    return ok({release: () => emptyFile(mine).then(() => undefined)});
  }
  return fail('LOCKED', `the build directory ${buildDir} is in use by other runs`);
}

/** Creates a generation with its complete content atomically; false if it exists. */
async function create(folder: string, generation: string): Promise<Result<boolean>> {
  const temporary = temporaryIn(folder);
  const holder: Holder = {...ownIdentity(), since: new Date().toISOString()};
  const created = await attempt('write', generation, async () => {
    await writeFile(temporary, JSON.stringify(holder), {flag: 'wx'});
    try {
      await link(temporary, generation);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  });
  await removeQuietly(temporary);
  return created;
}

async function generations(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .filter((generation) => generation <= MOST);
}

const holderFile = schemaOf<Partial<Holder> & Pick<Holder, 'pid' | 'start' | 'host'>>(
  objectWith<Holder>({
    pid: (value) => Number.isSafeInteger(value) && Number(value) > 0,
    start: isText,
    host: isText,
    boot: optional(isText),
    since: optional(isText),
  }),
);

/** The holder of a generation. None if it was released, or lost its content in a crash of the machine. */
async function readHolder(path: string): Promise<Holder | undefined> {
  const holder = await readValidJson(path, holderFile);
  return holder && {boot: '', since: 'an unknown time', ...holder};
}

function lockedBy(buildDir: string, holder: Holder, path: string): Failure {
  const elsewhere = liveness(holder) === 'unknown';
  return failure(
    'LOCKED',
    `the build directory ${buildDir} is in use by process ${holder.pid} on ${holder.host} since ${holder.since}`,
    {
      hint: elsewhere
        ? `if that run has ended, remove ${path}`
        : 'wait until it ends, or use another build directory',
    },
  );
}
