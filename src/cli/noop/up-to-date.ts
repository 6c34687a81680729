import {readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {defaultCacheDir} from '../../cache/default-cache-dir.js';
import {acquireLock} from '../../engine/lock.js';
import {writeLastRun} from '../../engine/last-run.js';
import type {ActionId} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import type {EventInput} from '../../model/events.js';
import {canonicalJson} from '../../model/canonical-json.js';
import type {CommandEnd, Invocation} from '../command.js';
import type {Surroundings} from '../process-context.js';
import {stateOf, type Witness} from './witness.js';

/**
 * A run that had nothing to do will have nothing to do again while every file and folder that it looked at is as it was. A
 * memo of such a run holds them all, and what the run said: the next one compares, and says the same, without reading
 * the code that builds.
 */
export interface Memo {
  readonly schema: number;
  readonly invocation: Invocation;
  readonly buildDir: string;
  readonly end: CommandEnd;
  /** Each action, and the size of its outputs. */
  readonly actions: readonly (readonly [id: ActionId, bytes: number | null])[];
  /** What was looked at, and how it looked. */
  readonly witnesses: readonly (readonly [path: string, kind: Witness, state: string])[];
}

/** Raised when the form of a memo changes. */
export const SCHEMA = 1;
/** Commands that a memo can stand in for. */
export const COMMANDS = ['build', 'relink', 'overlay', 'regen'];
/** Variables that say nothing about a build: of shells, and of the make above us. */
const OF_NO_MATTER = ['_', 'OLDPWD', 'PWD', 'SHLVL', 'COLUMNS', 'LINES', 'MAKEFLAGS', 'MAKELEVEL', 'MFLAGS'];

/** Where the memo of a command line lies. */
export function fileFor(argv: readonly string[], surroundings: Surroundings): string {
  const {environment, cwd} = surroundings;
  const variables = Object.entries(environment)
    .filter(([name, value]) => value !== undefined && !OF_NO_MATTER.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  // Other code may come to other results: every compilation of ours makes new files.
  const code = stateOf(fileURLToPath(import.meta.url), 'f');
  const question = canonicalJson({argv, cwd, variables, code, node: process.version} as never);
  return join(folderFor(argv, surroundings), digestOf(question));
}

/** The folder of memos in the cache. */
export function folderFor(argv: readonly string[], surroundings: Surroundings): string {
  const at = argv.lastIndexOf('--cache-dir');
  const tied = argv.findLast((word) => word.startsWith('--cache-dir='))?.slice('--cache-dir='.length);
  const given = at < 0 ? tied : argv[at + 1];
  return join(
    given === undefined
      ? defaultCacheDir(surroundings.environment, surroundings.cwd)
      : resolve(surroundings.cwd, given),
    'fresh',
  );
}

/**
 * The memo of the last run of this command line, if all is as it was then. Holds the lock of the build folder while it looks, as
 * every run does; undefined also when somebody else holds it.
 */
export async function recall(argv: readonly string[], surroundings: Surroundings): Promise<Memo | undefined> {
  if (!argv.some((word) => COMMANDS.includes(word))) return undefined;
  const began = new Date();
  let memo: Memo;
  try {
    memo = JSON.parse(await readFile(fileFor(argv, surroundings), 'utf8')) as Memo;
    if (memo.schema !== SCHEMA) return undefined;
  } catch {
    return undefined;
  }
  const lock = await acquireLock(memo.buildDir);
  if (!lock.ok) return undefined;
  try {
    if (!memo.witnesses.every(([path, kind, state]) => stateOf(path, kind) === state)) return undefined;
    const fresh = memo.actions.map(([id]) => id);
    const ms = Date.now() - began.getTime();
    await writeLastRun(memo.buildDir, {run: began.toISOString(), ms, fresh, done: []});
    return memo;
  } finally {
    await lock.value.release();
  }
}

/** The events of the actions of a memo. */
export function* eventsOf(memo: Memo): Iterable<EventInput> {
  for (const [id, bytes] of memo.actions) {
    const step = id.slice(0, id.indexOf(':')) as never;
    const size = bytes === null ? {} : {bytes};
    yield {type: 'action-finished', id, step, outcome: 'fresh', reason: 'up to date', ms: 0, ...size};
  }
}
