import {join} from 'node:path';
import {appendDurably, writeFileAtomic} from '../../fs/files.js';
import type {ActionId} from '../../model/action.js';
import {isDigest, type Digest} from '../../model/digest.js';
import {errnoOf, messageOf} from '../../model/errno.js';
import {ok, type Result} from '../../model/result.js';
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
} from '../../model/shape.js';
import {type Account, accountCheck} from '../causes.js';
import type {Producers} from '../keys.js';
import {contentOf, type Stamp, statFile, statPath} from '../../fs/path-state.js';
import {parseJson} from '../../fs/read-json.js';
import type {Recording} from '../../fs/recording.js';
import {readState} from '../../fs/regular-file.js';

/** An output as the last run left it. */
export interface JournalOutput {
  readonly digest: Digest;
  /** Null if the file was too recent for a reliable stamp. */
  readonly stamp: Stamp | null;
}

/** The last good state of an action. */
export interface JournalEntry {
  readonly key: Digest;
  /** The key record as canonical JSON: text, because it is parsed only for explanations. */
  readonly record: string;
  readonly outputs: Readonly<Record<string, JournalOutput>>;
  /** The producers of the record's inputs; missing in journals of earlier versions. */
  readonly producers?: Producers;
  /** How it came to this state: the difference between its key record and the one before. */
  readonly account?: Account;
  /** An action that works in place was started after this state and did not finish. */
  readonly unfinished?: true;
}

/** The state of a build directory's actions between builds. */
export interface Journal {
  readonly get: (id: string) => JournalEntry | undefined;
  /** All recorded actions, of any run. */
  readonly ids: () => readonly ActionId[];
  readonly set: (id: string, entry: JournalEntry) => void;
  /** Writes it if something is new; atomic. Fails with IO. */
  readonly save: () => Promise<Result<void>>;
  /** The same, if the last write was long enough ago. */
  readonly saveNowAndThen: () => Promise<void>;
  /** Passes its state to a recording. */
  readonly record: (recording: Recording) => void;
}

export const JOURNAL = 'journal.jsonl';

/** Raised when the form of the journal changes; an older one is ignored. */
const SCHEMA = 2;
/** The maximum time between writes, and so the work that a kill can lose (milliseconds). */
const SAVE_EVERY_MS = 2000;
/** The maximum number of obsolete lines per current line. */
const STALE_LINES = 0.5;

/** A journal, and the problem with the existing one, if there is one. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly notice: string | undefined;
}

/**
 * Opens the journal of a build directory. An unreadable one is ignored: everything is checked again. It is a file of
 * lines, a header and then `[id, entry]`, of which the last one of each action counts: new lines are appended, so that an edit
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
      // Changes made meanwhile are not in the file.
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
      // A failure occurs again in the last save, which reports it.
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

/** The journals of this process: a watch builds repeatedly. */
const asInFile = new Map<string, Pick<Loaded, 'entries' | 'lines'> & {readonly stamp: Stamp}>();

function recall(file: string): Loaded | undefined {
  const known = asInFile.get(file);
  if (known === undefined || known.stamp !== statFile(file)?.stamp) return undefined;
  return {...known, appendable: true, notice: undefined};
}

interface Loaded {
  readonly entries: Map<string, JournalEntry>;
  /** The number of lines, without the header. */
  readonly lines: number;
  /** Whether the file is complete, so that lines can be appended. */
  readonly appendable: boolean;
  readonly notice: string | undefined;
}

async function load(file: string): Promise<Loaded> {
  const entries = new Map<string, JournalEntry>();
  const nothing = {entries, lines: 0, appendable: false};
  let text: string;
  try {
    text = await readState(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {...nothing, notice: undefined};
    return {...nothing, notice: `cannot read the journal ${file}, which is ignored: ${messageOf(error)}`};
  }
  const [header = '', ...lines] = text.split('\n');
  if (header !== HEADER) {
    return {...nothing, notice: `the journal ${file} is damaged or of another version, and is ignored`};
  }
  // A run that was killed while writing leaves an incomplete line.
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
