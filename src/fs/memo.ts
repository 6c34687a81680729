import {writeFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {isDigest} from '../model/digest.js';
import {type Result, ok} from '../model/result.js';
import {isText, nullOr, objectWith, oneOf, type Schema, schemaOf, textThat, tuple} from '../model/shape.js';
import {ensureFolder, writeFileAtomic} from './files.js';
import {ABSENT, contentOf, type PathAspect, statPath} from './path-state.js';
import {readValidJson} from './read-json.js';
import {currentRecording, type RecordedPath, recordPath, withoutRecording} from './recording.js';

/** An answer that is kept in a file, with what it depends on. */
export interface Memo<T> {
  /** What the answer is to: the rest says nothing about anything else. */
  readonly question: string;
  readonly answer: T;
  /** As long as these paths are as they were, so is the answer. */
  readonly paths: readonly RecordedPath[];
}

/** As it is written: thousands of paths in a memo are lists, which take half the time to read of objects. */
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

/** The memo in a file, if it is of this question. Whether its paths are as they were is for the caller to see. */
export async function readMemo<T>(
  file: string,
  question: string,
  answer: Schema<T>,
): Promise<Memo<T> | undefined> {
  const memo = await readValidJson(file, memoFile(answer));
  if (memo?.question !== question) return undefined;
  const paths = memo.paths.map(([path, aspect, state, content]) => ({path, aspect, state, content}));
  return {question, answer: memo.answer, paths};
}

/** The text of a memo file. */
export function memoText<T>({question, answer, paths}: Memo<T>): string {
  const rows = paths.map(({path, aspect, state, content}) => [path, aspect, state, content]);
  return JSON.stringify({schema: SCHEMA, question, answer, paths: rows});
}

/**
 * Looks whether paths are as they were; undefined when one is not. Otherwise the same paths, in their order, without the
 * digests of those whose state vouches for them from now on.
 */
export function checkPaths(paths: readonly RecordedPath[]): readonly RecordedPath[] | undefined {
  const states = paths.map(({path, aspect}) => statPath(path, aspect));
  if (paths.some(({state}, i) => states[i]?.state !== state)) return undefined;
  // Only now, as reading takes longer: most changes show without it.
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
  /** The files that it depends on: absolute paths. Undefined for an answer that is not to be kept. */
  readonly files: readonly string[] | undefined;
}

/**
 * An answer that takes processes to get, kept in `file` for as long as it is the answer to the same question and the
 * files that it depends on are the same. Fails as `compute` does.
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
  await ensureFolder(dirname(file));
  // Without a memo the next build computes it again; what keeps it from being written will show in the build itself.
  await writeFile(file, memoText({question, answer, paths})).catch(() => undefined);
  return ok(answer);
}

/** Undefined when one of the files is missing, or changed so recently that its state says nothing. */
function settledPaths(files: readonly string[]): readonly RecordedPath[] | undefined {
  const paths: RecordedPath[] = [];
  for (const path of files) {
    const {state, settled} = statPath(path, 'file');
    if (state === ABSENT || !settled) return undefined;
    paths.push({path, aspect: 'file', state, content: null});
  }
  return paths;
}

/** Replaces a memo as a whole. That it cannot be written is no failure: it only saves time. */
export async function writeMemo<T>(file: string, memo: Memo<T>): Promise<void> {
  await writeFileAtomic(file, memoText(memo));
}
