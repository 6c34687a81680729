import {lstat, readdir} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {defaultCacheDir} from '../../cache/default-cache-dir.js';
import {privateCacheDir} from '../../cache/private-cache-dir.js';
import {ensurePrivate} from '../../fs/private-directory.js';
import {removeLeftovers} from '../../fs/leftovers.js';
import {removeFile} from '../../fs/removal.js';
import {SESSION_VARIABLES} from '../../exec/environment.js';
import {type Memo, readMemo, writeMemo} from '../../fs/memo.js';
import {statPath} from '../../fs/path-state.js';
import type {ActionId} from '../../model/action.js';
import type {EventInput} from '../../model/events.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {digestOf, isDigest} from '../../model/digest.js';
import {
  isNumber,
  isText,
  listOf,
  mapOf,
  nullOr,
  objectWith,
  oneOf,
  optional,
  schemaOf,
  tuple,
} from '../../model/shape.js';
import type {CommandEnd, Invocation} from '../command.js';
import type {ProcessContext} from '../process-context.js';

/** A build that succeeded: what it reported, with the state of every path that it read or left. */
export type RunMemo = Memo<RecordedRun>;

export interface RecordedRun {
  readonly invocation: Invocation;
  readonly buildDir: string;
  readonly end: CommandEnd;
  /** Each action, and the size of its outputs. */
  readonly actions: readonly (readonly [id: ActionId, bytes: number | null])[];
  /** What it said that still holds. */
  readonly messages: readonly LastingMessage[];
}

/** A warning or a notice that is repeated. */
export type LastingMessage = Extract<EventInput, {readonly type: 'warning' | 'notice'}>;

/** Commands that build, and so have nothing to do the second time. */
export const COMMANDS: readonly string[] = ['build', 'relink', 'overlay', 'regen', 'snapshot'];
/** How many memos are kept. */
const KEPT = 24;

const isAnything = (): boolean => true;
const recordedRun = schemaOf<RecordedRun>(
  objectWith<RecordedRun>({
    invocation: objectWith<Invocation>({command: isText, word: isAnything, options: mapOf(isAnything)}),
    buildDir: isText,
    end: mapOf(isAnything),
    actions: listOf(tuple(isText, nullOr(isNumber))),
    messages: listOf(
      objectWith({
        type: oneOf('warning', 'notice'),
        message: isText,
        details: optional(isText),
        hint: optional(isText),
      }),
    ),
  }),
);

/** The path of a command line's memo, and its question: everything except files that decides what the command does. */
export interface RunQuestion {
  readonly file: string;
  readonly question: string;
}

export function runQuestion(argv: readonly string[], {environment, cwd}: ProcessContext): RunQuestion {
  const variables = Object.entries(environment)
    .filter(([name, value]) => value !== undefined && !SESSION_VARIABLES.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  // Other code may have other results: every build of flashfreeze writes new files.
  const code = statPath(fileURLToPath(import.meta.url), 'file').state;
  // A digest: the environment may hold secrets.
  const question = digestOf(canonicalJson({argv, cwd, variables, code, node: process.version} as never));
  const at = argv.lastIndexOf('--cache-dir');
  const joined = argv.findLast((word) => word.startsWith('--cache-dir='))?.slice('--cache-dir='.length);
  const given = at < 0 ? joined : argv[at + 1];
  const cacheDir = given === undefined ? defaultCacheDir(environment, cwd) : resolve(cwd, given);
  return {file: join(privateCacheDir(cacheDir, environment), 'fresh', question), question};
}

export function readRunMemo({file, question}: RunQuestion): Promise<RunMemo | undefined> {
  return readMemo(file, question, recordedRun);
}

/** Writes a memo, and removes the oldest ones. A failure is ignored: a memo only saves time. */
export async function writeRunMemo({file}: RunQuestion, memo: RunMemo): Promise<void> {
  const folder = resolve(file, '..');
  // A memo says that nothing has to be built, so nobody else may write one.
  if (!(await ensurePrivate(folder)).ok) return;
  await writeMemo(file, memo);
  await removeLeftovers([folder]);
  try {
    const names = (await readdir(folder)).filter(isDigest);
    if (names.length <= KEPT) return;
    const aged = await Promise.all(
      names.map(async (name) => ({name, time: (await lstat(join(folder, name))).mtimeMs})),
    );
    for (const {name} of aged.sort((a, b) => b.time - a.time).slice(KEPT)) {
      await removeFile(join(folder, name));
    }
  } catch {
    // Another run removes them at the same time.
  }
}
