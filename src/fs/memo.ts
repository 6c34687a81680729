import {lstat} from 'node:fs/promises';
import {isDigest} from '../model/digest.js';
import {type Result, ok} from '../model/result.js';
import {isText, nullOr, objectWith, oneOf, type Schema, schemaOf, textThat, tuple} from '../model/shape.js';
import {writeFileAtomic} from './files.js';
import {isOnlyOurs} from './owners.js';
import {ABSENT, contentOf, type PathAspect, statPath} from './path-state.js';
import {readValidJson} from './read-json.js';
import {currentRecording, type RecordedPath, recordPath, withoutRecording} from './recording.js';

/** A result that is kept in a file, with its dependencies. */
export interface Memo<T> {
  /** The question: the memo is valid only for this one. */
  readonly question: string;
  readonly answer: T;
  /** The result is valid as long as these paths are unchanged. */
  readonly paths: readonly RecordedPath[];
}

/** The serialised form: paths are lists, which take half the time to parse of objects. */
type PathRow = readonly [path: string, aspect: PathAspect, state: string, content: RecordedPath['content']];

interface MemoFile<T> extends Omit<Memo<T>, 'paths'> {
  readonly schema: number;
  readonly paths: readonly PathRow[];
}

/** Raised when the form of a memo changes; an older one is ignored. */
const SCHEMA = 1;

const isRow = tuple(isText, oneOf('file', 'entries', 'link', 'realpath'), isText, nullOr(textThat(isDigest)));

function memoFile<T>(answer: Schema<T>): Schema<MemoFile<T>> {
  return schemaOf(
    objectWith<MemoFile<T>>({
      schema: oneOf(SCHEMA),
      question: isText,
      answer: (value) => answer.safeParse(value).success,
      paths: (value) => Array.isArray(value) && value.every(isRow),
    }),
  );
}

/**
 * The memo in a file, if it is of this question, and nobody else may have written it: a directory that only this user may write to now may have been
 * open to others before. The caller checks whether its paths are unchanged.
 */
export async function readMemo<T>(
  file: string,
  question: string,
  answer: Schema<T>,
): Promise<Memo<T> | undefined> {
  const stats = await lstat(file).catch(() => undefined);
  if (stats === undefined || !isOnlyOurs(file, stats)) return undefined;
  const memo = await readValidJson(file, memoFile(answer));
  if (memo?.question !== question) return undefined;
  const paths = memo.paths.map(([path, aspect, state, content]) => ({path, aspect, state, content}));
  return {question, answer: memo.answer, paths};
}

/** The text of a memo file. */
function memoText<T>({question, answer, paths}: Memo<T>): string {
  const rows = paths.map(({path, aspect, state, content}) => [path, aspect, state, content]);
  return JSON.stringify({schema: SCHEMA, question, answer, paths: rows});
}

/**
 * Checks that paths are unchanged; undefined if one has changed. Otherwise returns the same paths, in order, without the
 * digests of those whose state is reliable from now on.
 */
export function checkPaths(paths: readonly RecordedPath[]): readonly RecordedPath[] | undefined {
  const states = paths.map(({path, aspect}) => statPath(path, aspect));
  if (paths.some(({state}, i) => states[i]?.state !== state)) return undefined;
  // Reads last, because it takes longer, and most changes are visible without it.
  const checked: RecordedPath[] = [];
  for (const [i, recorded] of paths.entries()) {
    const {path, aspect, content} = recorded;
    if (content !== null && contentOf(path, aspect) !== content) return undefined;
    checked.push(states[i]?.settled === true ? {...recorded, content: null} : recorded);
  }
  return checked;
}

/** A result that took some time to compute. */
export interface Computed<T> {
  readonly answer: T;
  /** The files that it depends on: absolute paths. Undefined for a result that must not be kept. */
  readonly files: readonly string[] | undefined;
}

/**
 * A result that takes processes to compute, kept in `file` as long as the question is the same and the
 * files that it depends on are unchanged. Fails as `compute` does.
 */
export async function memoize<T>(
  file: string,
  question: string,
  schema: Schema<T>,
  compute: () => Promise<Result<Computed<T>>>,
): Promise<Result<T>> {
  const memo = await readMemo(file, question, schema);
  if (memo !== undefined && checkPaths(memo.paths) !== undefined) {
    for (const {path} of memo.paths) recordPath(path, 'file');
    return ok(memo.answer);
  }
  const computed = await withoutRecording(compute);
  if (!computed.ok) return computed;
  const {answer, files} = computed.value;
  const paths = files && settledPaths(files);
  if (paths === undefined) {
    currentRecording()?.addGap(`${file} cannot be kept`);
    return ok(answer);
  }
  for (const {path} of paths) recordPath(path, 'file');
  await writeMemo(file, {question, answer, paths});
  return ok(answer);
}

/** A path for a memo; undefined when it changed so recently that its state says nothing. */
export function settledPath(path: string, aspect: PathAspect): RecordedPath | undefined {
  const {state, settled} = statPath(path, aspect);
  return settled ? {path, aspect, state, content: null} : undefined;
}

/** Undefined when one of the files is missing, or has not settled. */
function settledPaths(files: readonly string[]): readonly RecordedPath[] | undefined {
  const paths: RecordedPath[] = [];
  for (const file of files) {
    const path = settledPath(file, 'file');
    if (path === undefined || path.state === ABSENT) return undefined;
    paths.push(path);
  }
  return paths;
}

/** Replaces a memo atomically. A failure is ignored: without a memo, the next run computes the result again. */
export async function writeMemo<T>(file: string, memo: Memo<T>): Promise<void> {
  await writeFileAtomic(file, memoText(memo), undefined, 0o600);
}
