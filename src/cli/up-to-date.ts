import {type BigIntStats, lstatSync, statSync} from 'node:fs';
import {mkdir, readdir, readFile, rename, rm, stat, writeFile} from 'node:fs/promises';
import {join, resolve, sep} from 'node:path';
import {fileURLToPath} from 'node:url';
import {uniqueSuffix} from '../cache/files.js';
import {acquireLock} from '../engine/lock.js';
import {writeLastRun} from '../engine/last-run.js';
import {hasSettled} from '../engine/stamps.js';
import type {ActionId} from '../model/action.js';
import {digestOf} from '../model/digest.js';
import type {EventInput, EventSink} from '../model/events.js';
import {canonicalJson} from '../model/json.js';
import type {CommandEnd, Invocation} from './command.js';
import {type FileObserver, type Look, observeFiles} from './file-observer.js';
import {defaultCacheDir, type Surroundings} from './surroundings.js';

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

/** How a path is compared: as what it leads to, also by its entries, also as a link. */
type Witness = 'f' | 'd' | 'l' | 'dl';

const SCHEMA = 1;
/** Commands that a memo can stand in for. */
const COMMANDS = ['build', 'relink', 'overlay', 'regen'];
/** With these a run does something even when there is nothing to do. */
const WITHOUT_MEMO = ['force', 'dry-run', 'trace-file', 'report'] as const;
/** Variables that say nothing about a build: of shells, and of the make above us. */
const OF_NO_MATTER = ['_', 'OLDPWD', 'PWD', 'SHLVL', 'COLUMNS', 'LINES', 'MAKEFLAGS', 'MAKELEVEL', 'MFLAGS'];
/** How many memos are kept. */
const KEPT = 24;

/** Where the memo of a command line lies. */
function fileFor(argv: readonly string[], surroundings: Surroundings): string {
  const {environment, cwd} = surroundings;
  const variables = Object.entries(environment)
    .filter(([name, value]) => value !== undefined && !OF_NO_MATTER.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  // Other code may come to other results: every compilation of ours makes new files.
  const code = stateOf(fileURLToPath(import.meta.url), 'f');
  const question = canonicalJson({argv, cwd, variables, code, node: process.version} as never);
  return join(folderFor(argv, surroundings), digestOf(question));
}

function folderFor(argv: readonly string[], surroundings: Surroundings): string {
  const at = argv.lastIndexOf('--cache-dir');
  const tied = argv.findLast((word) => word.startsWith('--cache-dir='))?.slice('--cache-dir='.length);
  const given = at < 0 ? tied : argv[at + 1];
  return join(
    given === undefined ? defaultCacheDir(surroundings) : resolve(surroundings.cwd, given),
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

/** Watches a run, and writes its memo if it turns out that it had nothing to do. */
export interface Recorder {
  /** Passes events on. */
  readonly sink: EventSink;
  readonly onBuildFolder: (buildDir: string) => void;
  readonly conclude: (end: CommandEnd) => Promise<void>;
}

/** Undefined for a command line of which there are no memos. */
export function recordRun(
  argv: readonly string[],
  invocation: Invocation,
  events: EventSink,
  surroundings: Surroundings,
): Recorder | undefined {
  const {command, options} = invocation;
  if (!COMMANDS.includes(command) || WITHOUT_MEMO.some((name) => options[name] !== undefined))
    return undefined;
  const began = Date.now();
  const observer = observeFiles();
  const actions: [ActionId, number | null][] = [];
  const folders = new Set<string>();
  let isUneventful = true;
  return {
    sink: {
      emit(event) {
        if (event.type === 'action-finished' && event.outcome === 'fresh') {
          actions.push([event.id, event.bytes ?? null]);
        } else isUneventful = false;
        events.emit(event);
      },
    },
    onBuildFolder: (buildDir) => void folders.add(resolve(buildDir)),
    async conclude(end) {
      observer.stop();
      const [buildDir] = folders;
      if (!isUneventful || end.failure !== undefined || buildDir === undefined || folders.size > 1) return;
      if (observer.startedProcess()) return;
      const cache = folderFor(argv, surroundings);
      const witnesses = witnessesOf(observer, {began, buildDir, cacheDir: resolve(cache, '..')});
      if (witnesses === undefined) return;
      await keep(fileFor(argv, surroundings), {
        schema: SCHEMA,
        invocation,
        buildDir,
        end,
        actions,
        witnesses,
      });
    },
  };
}

/** Undefined when something changed while the run was looking, or so shortly before that nobody can tell. */
function witnessesOf(
  {looks}: FileObserver,
  {began, buildDir, cacheDir}: {readonly began: number; readonly buildDir: string; readonly cacheDir: string},
): Memo['witnesses'] | undefined {
  // What we write ourselves, under the lock.
  const own = ['journal.json', 'sources.json'].map((name) => join(buildDir, name));
  const passing = [join(buildDir, 'lock'), join(buildDir, 'last-run.json'), '/proc', '/dev'].concat(
    ['ac', 'cas', 'tmp', 'fresh', 'collected.json'].map((name) => join(cacheDir, name)),
  );
  const isPassing = (path: string): boolean =>
    path === cacheDir || passing.some((each) => path === each || path.startsWith(each + sep));
  const witnesses: [string, Witness, string][] = [];
  for (const [path, look] of looks) {
    if (isPassing(path)) continue;
    const kind = kindOf(look);
    const state = stateOf(path, kind);
    if (look.found === true && state === ABSENT) return undefined;
    if (!own.includes(path) && !isOlder(path, kind, began)) return undefined;
    witnesses.push([path, kind, state]);
  }
  return witnesses;
}

function kindOf({listed, asLink}: Look): Witness {
  if (listed) return asLink ? 'dl' : 'd';
  return asLink ? 'l' : 'f';
}

const ABSENT = '-';

/** Whether a path did not change after a time, nor so shortly before that its times might not show a further change. */
function isOlder(path: string, kind: Witness, time: number): boolean {
  return look(path, kind).every((stats) => {
    // Other things than regular files, and listed folders, are compared by what they are alone.
    if (!stats.isFile() && !stats.isSymbolicLink() && !kind.startsWith('d')) return true;
    return hasSettled(stats, time);
  });
}

/** Names the state of a path without reading what is there. */
function stateOf(path: string, kind: Witness): string {
  const stats = look(path, kind);
  if (stats.length === 0) return ABSENT;
  return stats
    .map((each) => {
      const {dev, ino, mode, size, mtimeNs, ctimeNs} = each;
      const isWhole = each.isFile() || each.isSymbolicLink() || kind.startsWith('d');
      return isWhole ? `${dev}:${ino}:${mode}:${size}:${mtimeNs}:${ctimeNs}` : `${dev}:${ino}:${mode}`;
    })
    .join(' ');
}

/** What the path leads to, and, if it was asked where it leads, the path itself. */
function look(path: string, kind: Witness): readonly BigIntStats[] {
  try {
    const found = statSync(path, {bigint: true, throwIfNoEntry: false});
    const link = kind.endsWith('l') ? lstatSync(path, {bigint: true, throwIfNoEntry: false}) : undefined;
    const isLink = link?.isSymbolicLink() === true;
    return [...(found === undefined ? [] : [found]), ...(isLink ? [link] : [])];
  } catch {
    return [];
  }
}

/** Writes a memo, and removes the oldest ones. That it cannot be written is no failure: it only saves time. */
async function keep(file: string, memo: Memo): Promise<void> {
  const folder = resolve(file, '..');
  const temporary = `${file}.${uniqueSuffix()}`;
  try {
    await mkdir(folder, {recursive: true});
    await writeFile(temporary, JSON.stringify(memo));
    await rename(temporary, file);
    const names = await readdir(folder);
    if (names.length <= KEPT) return;
    const aged = await Promise.all(
      names.map(async (name) => ({name, time: (await stat(join(folder, name))).mtimeMs})),
    );
    for (const {name} of aged.sort((a, b) => b.time - a.time).slice(KEPT)) {
      await rm(join(folder, name), {force: true});
    }
  } catch {
    await rm(temporary, {force: true}).catch(() => undefined);
  }
}
