import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {writeFileAtomic} from '../cache/files.js';
import type {ActionId} from '../model/action.js';
import {isDigest, type Digest} from '../model/digest.js';
import {errnoOf, messageOf} from '../model/errno.js';
import {ok, type Result} from '../model/result.js';
import type {Account} from './causes.js';
import type {Producers} from './keys.js';
import type {Stamp} from './stamps.js';

/** An output as it was left in its place. */
export interface JournalOutput {
  readonly digest: Digest;
  /** Null when the file was too young for its stamp to be relied on. */
  readonly stamp: Stamp | null;
}

/** The last good state of an action. */
export interface JournalEntry {
  readonly key: Digest;
  /** The key record as canonical JSON: text, because it is read only when something has to be explained. */
  readonly record: string;
  readonly outputs: Readonly<Record<string, JournalOutput>>;
  /** Who made the inputs of the record; not there in journals of earlier versions. */
  readonly producers?: Producers;
  /** How it came to this state: the difference between its key record and the one before. */
  readonly account?: Account;
  /** An action that works in place was started after this state and did not come to its end. */
  readonly unfinished?: true;
}

/** What a build folder remembers of its actions from one build to the next. */
export interface Journal {
  readonly get: (id: string) => JournalEntry | undefined;
  /** The actions that it remembers, of whatever run. */
  readonly ids: () => readonly ActionId[];
  readonly set: (id: string, entry: JournalEntry) => void;
  /** Writes it if something is new; atomic. Fails with IO. */
  readonly save: () => Promise<Result<void>>;
  /** The same, if the last writing was a while ago. */
  readonly saveNowAndThen: () => Promise<void>;
}

/** Raised when the form of the journal changes; an older one is ignored. */
const SCHEMA = 1;
/** A kill loses no more work than this (milliseconds). */
const SAVE_EVERY_MS = 2000;

/** A journal, and what was wrong with the one in the build folder, if anything. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly notice: string | undefined;
}

/** Opens the journal of a build folder. One that cannot be read is ignored: everything is looked at anew. */
export async function openJournal(buildDir: string): Promise<OpenedJournal> {
  const file = join(buildDir, 'journal.json');
  const {entries, notice} = await load(file);
  let dirty = false;
  let savedAt = Date.now();
  let writing: Promise<Result<void>> = Promise.resolve(ok());

  async function write(): Promise<Result<void>> {
    if (!dirty) return ok();
    dirty = false;
    savedAt = Date.now();
    const written = await writeFileAtomic(
      file,
      JSON.stringify({schema: SCHEMA, actions: Object.fromEntries(entries)}),
    );
    if (!written.ok) dirty = true;
    return written;
  }
  const save = (): Promise<Result<void>> => {
    writing = writing.then(write);
    return writing;
  };

  const journal: Journal = {
    get: (id) => entries.get(id),
    ids: () => [...entries.keys()] as ActionId[],
    set(id, entry) {
      entries.set(id, entry);
      dirty = true;
    },
    save,
    async saveNowAndThen() {
      // A failure shows again in the last save, which is not let pass.
      if (Date.now() - savedAt >= SAVE_EVERY_MS) await save();
    },
  };
  return {journal, notice};
}

async function load(
  file: string,
): Promise<{readonly entries: Map<string, JournalEntry>; readonly notice: string | undefined}> {
  const entries = new Map<string, JournalEntry>();
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as {schema?: unknown; actions?: object} | null;
    if (value?.schema !== SCHEMA) {
      return {entries, notice: `the journal ${file} is of another version and is ignored`};
    }
    for (const [id, entry] of Object.entries(value.actions ?? {})) if (isEntry(entry)) entries.set(id, entry);
    return {entries, notice: undefined};
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {entries, notice: undefined};
    return {entries, notice: `the journal ${file} cannot be read and is ignored: ${messageOf(error)}`};
  }
}

function isEntry(value: unknown): value is JournalEntry {
  const {key, record, outputs} = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof key !== 'string' || !isDigest(key) || typeof record !== 'string') return false;
  if (typeof outputs !== 'object' || outputs === null) return false;
  return Object.values(outputs).every((output: unknown) => {
    const {digest, stamp} = (output ?? {}) as Readonly<Record<string, unknown>>;
    return typeof digest === 'string' && (stamp === null || typeof stamp === 'string');
  });
}
