import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {appendDurably, writeFileAtomic} from '../fs/files.js';
import type {ActionId} from '../model/action.js';
import {isDigest, type Digest} from '../model/digest.js';
import {errnoOf, messageOf} from '../model/errno.js';
import {ok, type Result} from '../model/result.js';
import {
  isText,
  isTrue,
  listOf,
  mapOf,
  nullOr,
  objectWith,
  optional,
  schemaOf,
  textThat,
  tuple,
} from '../model/shape.js';
import {type Account, accountCheck} from './causes.js';
import type {Producers} from './keys.js';
import {contentOf, type Stamp, statFile, statPath} from '../fs/path-state.js';
import {parseJson} from '../fs/read-json.js';
import type {Recording} from '../fs/recording.js';

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
  /** Tells a recording in which state it was left. */
  readonly record: (recording: Recording) => void;
}

export const JOURNAL = 'journal.jsonl';

/** Raised when the form of the journal changes; an older one is ignored. */
const SCHEMA = 2;
/** A kill loses no more work than this (milliseconds). */
const SAVE_EVERY_MS = 2000;
/** So many lines that say nothing any more may be there for each that does. */
const STALE_LINES = 0.5;

/** A journal, and what was wrong with the one in the build folder, if anything. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly notice: string | undefined;
}

/**
 * Opens the journal of a build folder. One that cannot be read is ignored: everything is looked at anew. It is a file of
 * lines, a header and then `[id, entry]`, of which the last one of each action counts: what is new is appended, so that an edit
 * does not write down thousands of actions.
 */
export async function openJournal(buildDir: string): Promise<OpenedJournal> {
  const file = join(buildDir, JOURNAL);
  const loaded = recall(file) ?? (await load(file));
  const {entries, notice} = loaded;
  let {lines, appendable} = loaded;
  let news = new Set<string>();
  let savedAt = Date.now();
  let writing: Promise<Result<void>> = Promise.resolve(ok());

  async function write(): Promise<Result<void>> {
    if (news.size === 0) return ok();
    const ids = [...news];
    news = new Set();
    savedAt = Date.now();
    if (appendable && lines + ids.length <= entries.size * (1 + STALE_LINES)) {
      const appended = await appendDurably(file, textOf(entries, ids));
      lines += ids.length;
      if (appended.ok) return appended;
    }
    const written = await writeFileAtomic(file, `${HEADER}\n${textOf(entries, entries.keys())}`);
    appendable = written.ok;
    lines = entries.size;
    if (!written.ok) for (const id of ids) news.add(id);
    return written;
  }
  const save = (): Promise<Result<void>> => {
    writing = writing.then(write).then((written) => {
      // What is new meanwhile is not in the file.
      const look = appendable && news.size === 0 ? statFile(file) : undefined;
      if (look !== undefined) asInFile.set(file, {stamp: look.stamp, entries, lines});
      return written;
    });
    return writing;
  };

  const journal: Journal = {
    get: (id) => entries.get(id),
    ids: () => [...entries.keys()] as ActionId[],
    set(id, entry) {
      entries.set(id, entry);
      news.add(id);
      asInFile.delete(file);
    },
    save,
    async saveNowAndThen() {
      // A failure shows again in the last save, which is not let pass.
      if (Date.now() - savedAt >= SAVE_EVERY_MS) await save();
    },
    record(recording) {
      const state = statPath(file, 'file');
      recording.addWritten(file, 'file', state, state.settled ? undefined : contentOf(file, 'file'));
    },
  };
  return {journal, notice};
}

const HEADER = JSON.stringify({schema: SCHEMA});

function textOf(entries: ReadonlyMap<string, JournalEntry>, ids: Iterable<string>): string {
  let text = '';
  for (const id of ids) text += `${JSON.stringify([id, entries.get(id)])}\n`;
  return text;
}

/** Journals as this process left them: a watch builds again and again. */
const asInFile = new Map<string, Pick<Loaded, 'entries' | 'lines'> & {readonly stamp: Stamp}>();

function recall(file: string): Loaded | undefined {
  const known = asInFile.get(file);
  if (known === undefined || known.stamp !== statFile(file)?.stamp) return undefined;
  return {...known, appendable: true, notice: undefined};
}

interface Loaded {
  readonly entries: Map<string, JournalEntry>;
  /** How many there are, besides the header. */
  readonly lines: number;
  /** Whether the file is whole, so that more can follow. */
  readonly appendable: boolean;
  readonly notice: string | undefined;
}

async function load(file: string): Promise<Loaded> {
  const entries = new Map<string, JournalEntry>();
  const nothing = {entries, lines: 0, appendable: false};
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {...nothing, notice: undefined};
    return {...nothing, notice: `cannot read the journal ${file}, which is ignored: ${messageOf(error)}`};
  }
  const [header = '', ...lines] = text.split('\n');
  if (header !== HEADER) {
    return {...nothing, notice: `the journal ${file} is damaged or of another version, and is ignored`};
  }
  // A run that was killed while it wrote leaves a part of a line.
  const isWhole = lines.pop() === '';
  // Only the last line of an action is read.
  const last = new Map(lines.map((line) => [line.slice(0, line.indexOf(',')), line]));
  for (const text of last.values()) {
    const entry = parseJson(text, journalLine);
    if (entry !== undefined) entries.set(...entry);
  }
  return {entries, lines: lines.length, appendable: isWhole, notice: undefined};
}

const isOutput = objectWith<JournalOutput>({digest: textThat(isDigest), stamp: nullOr(isText)});
const isEntry = objectWith<JournalEntry>({
  key: textThat(isDigest),
  record: isText,
  outputs: mapOf(isOutput),
  producers: optional(listOf(nullOr(isText))),
  account: optional(accountCheck),
  unfinished: optional(isTrue),
});
const journalLine = schemaOf<readonly [id: string, entry: JournalEntry]>(tuple(isText, isEntry));
