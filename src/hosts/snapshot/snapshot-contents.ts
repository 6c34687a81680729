import {readRegular} from '../../fs/regular-file.js';
import {attempt} from '../../fs/files.js';
import {ok, type Result} from '../../model/result.js';
import {snapshotIn} from './append-snapshot.js';
import {imagesIn} from './images-in-place.js';
import {COMMON_OFFSET, type DumpHeader, readFilePaths, readHeader} from './dump-format.js';
import {type Program, readProgram} from './program-entry.js';
import {readRecord, type SnapshotRecord} from './snapshot-record.js';

/** What a snapshot in an executable holds, and what a start compares. */
export interface SnapshotContents extends SnapshotRecord {
  /** In bytes, of the file. */
  readonly size: number;
  /** The path by which the executable is called. */
  readonly calledAs: string;
  /** Environment variables with their values; undefined for one that has to be unset. */
  readonly variables: readonly {readonly name: string; readonly value: string | undefined}[];
  /** What else imports have read of the process: its working directory, the host's name and so on (runtime/snapshot/facts.c). */
  readonly facts: readonly {readonly name: string; readonly value: string}[];
  readonly files: readonly string[];
  /** Hashes of the build ids of the executable's libraries, and of the processor's features. */
  readonly libraries: string;
  readonly processor: string;
  /** Whether it is of a release: for any user, and for files that were unpacked. */
  readonly isPortable: boolean;
  /** The bytes that all of this was read from. */
  readonly bytes: Buffer;
  /** The images as it has them, which lie in the executable. */
  readonly images: Buffer;
}

/** What an executable has besides an interpreter. */
export interface ExecutableContents {
  readonly snapshot: SnapshotContents | undefined;
  /** The program that it is; undefined for an interpreter. */
  readonly program: Program | undefined;
}

/** Reads the snapshot in an executable, if there is one; a file that cannot be read has none. Fails with SNAPSHOT for one of another version. */
export async function readSnapshot(path: string): Promise<Result<ExecutableContents>> {
  const executable = await attempt('read', path, () => readRegular(path));
  return executable.ok ? contentsOf(executable.value) : ok({program: undefined, snapshot: undefined});
}

/** As `readSnapshot`, of the bytes of an executable. */
export function contentsOf(executable: Buffer): Result<ExecutableContents> {
  const bytes = snapshotIn(executable);
  const program = readProgram(executable);
  if (bytes === undefined) return ok({program, snapshot: undefined});
  const header = readHeader(bytes);
  if (!header.ok) return header;
  const record = readRecord(bytes);
  if (!record.ok) return record;
  const {value} = header;
  const snapshot = {
    ...record.value,
    size: bytes.length,
    calledAs: textAt(bytes, value.pathOffset),
    variables: [...new Set(textsAt(bytes, value.variableOffset))].map(splitVariable),
    facts: readFacts(bytes, value),
    files: readFilePaths(bytes, value),
    ...readCommon(bytes),
    isPortable: value.portable !== 0,
    bytes,
    images: imagesIn(executable),
  };
  return ok({program, snapshot});
}

function textAt(bytes: Buffer, offset: number): string {
  return bytes.toString('utf8', offset, bytes.indexOf(0, offset));
}

/** The texts from `offset` up to an empty one. */
function textsAt(bytes: Buffer, offset: number): readonly string[] {
  const texts: string[] = [];
  for (let at = offset; at < bytes.length && bytes[at] !== 0;) {
    const end = bytes.indexOf(0, at);
    texts.push(bytes.toString('utf8', at, end));
    at = end + 1;
  }
  return texts;
}

function splitVariable(text: string): SnapshotContents['variables'][number] {
  const equals = text.indexOf('=');
  return equals < 0
    ? {name: text, value: undefined}
    : {name: text.slice(0, equals), value: text.slice(equals + 1)};
}

/** Pairs of a name and a value, of which the value may be empty. */
function readFacts(bytes: Buffer, {factOffset}: DumpHeader): SnapshotContents['facts'] {
  const facts: {name: string; value: string}[] = [];
  for (let at = factOffset; at < bytes.length && bytes[at] !== 0;) {
    const middle = bytes.indexOf(0, at);
    const end = bytes.indexOf(0, middle + 1);
    facts.push({name: bytes.toString('utf8', at, middle), value: bytes.toString('utf8', middle + 1, end)});
    at = end + 1;
  }
  return facts;
}

/** Of `ff_common` (src/runtime/snapshot/restore.h): 32 bytes of a build id, then two hashes. */
function readCommon(bytes: Buffer): Pick<SnapshotContents, 'libraries' | 'processor'> {
  const hash = (offset: number): string =>
    bytes.toString('hex', COMMON_OFFSET + offset, COMMON_OFFSET + offset + 8);
  return {libraries: hash(32), processor: hash(40)};
}
