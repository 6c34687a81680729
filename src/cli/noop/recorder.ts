import {mkdir, readdir, rename, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join, resolve, sep} from 'node:path';
import {isTemporary, uniqueSuffix} from '../../fs/files.js';
import {JOURNAL} from '../../engine/journal.js';
import type {ActionId} from '../../model/action.js';
import type {EventSink} from '../../model/events.js';
import type {CommandEnd, Invocation} from '../command.js';
import {type FileObserver, type Look, observeFiles} from './file-observer.js';
import type {Surroundings} from '../process-context.js';
import {COMMANDS, fileFor, folderFor, type Memo, SCHEMA} from './up-to-date.js';
import {ABSENT, isOlder, stateOf, type Witness} from './witness.js';

/** With these a run does something even when there is nothing to do. */
const WITHOUT_MEMO = ['force', 'dry-run', 'trace-file', 'report'] as const;
/** How many memos are kept. */
const KEPT = 24;

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
  const own = [JOURNAL, 'sources.json'].map((name) => join(buildDir, name));
  const passing = [join(buildDir, 'lock'), join(buildDir, 'last-run.json'), '/proc', '/dev'].concat(
    ['ac', 'cas', 'tmp', 'fresh', 'collected.json'].map((name) => join(cacheDir, name)),
  );
  const isPassing = (path: string): boolean =>
    path === cacheDir ||
    passing.some((each) => path === each || path.startsWith(each + sep)) ||
    // What they are before they get their names. What else might get its name this way is too young to be a witness.
    (isTemporary(path) && dirname(path) === buildDir);
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
