import {join} from 'node:path';
import pLimit from 'p-limit';
import {hashFile, writeFileAtomic} from '../fs/files.js';
import type {Artifact} from '../model/action.js';
import {isDigest, type Digest} from '../model/digest.js';
import {ok, type Result} from '../model/result.js';
import {isText, mapOf, objectWith, oneOf, schemaOf, textThat, tuple} from '../model/shape.js';
import {identityOf} from '../fs/file-identity.js';
import {type FileState, readStamp, type Stamp, statFile} from '../fs/path-state.js';
import {readValidJson} from '../fs/read-json.js';
import type {Recording} from '../fs/recording.js';

/** A source file: its name in key records and its absolute path. */
export interface SourceFile {
  readonly name: string;
  readonly path: string;
}

/** A source file as it was when it was digested. */
export interface DigestedSource {
  /** Of its state (fs/file-identity.ts). */
  readonly identity: bigint;
  readonly digest: Digest;
}

/** The digests of source files, with a cache of the files that have not changed since they were last read. */
export interface Sources {
  /** The digests of files, in the given order. Fails with IO for the first that cannot be read. */
  readonly digest: (files: readonly SourceFile[]) => Promise<Result<Artifact[]>>;
  /** Whether a file that was digested in this run may have changed since. */
  readonly mayHaveChanged: (path: string) => boolean;
  /** A file as it was when it was digested in this run; otherwise undefined. */
  readonly stampOf: (path: string) => DigestedSource | undefined;
  readonly save: () => Promise<Result<void>>;
}

const SCHEMA = 1;
/** The number of files read concurrently. */
const BREADTH = 16;

type Memory = Map<string, readonly [Stamp, Digest]>;

/** Opens the memory in a build directory. A memory that is missing or unreadable is an empty one. */
export async function openSources(buildDir: string, recording?: Recording): Promise<Sources> {
  const file = join(buildDir, 'sources.json');
  const memory = await load(file);
  const seen = new Map<string, {readonly stamp: Stamp; readonly digest: Digest}>();
  let changed = false;

  function see(path: string, {stamp, settled}: Pick<FileState, 'stamp' | 'settled'>, digest: Digest): void {
    seen.set(path, {stamp, digest});
    recording?.addRead(path, 'file', {state: stamp, settled}, digest);
  }

  async function read({name, path}: SourceFile): Promise<Result<Artifact>> {
    // First the stamp, then the content: after a change between the two, the stamp will differ the next time.
    const look = statFile(path);
    const content = await hashFile(path);
    if (!content.ok) return content;
    const {digest} = content.value;
    if (look !== undefined) see(path, look, digest);
    if (look?.settled === true) {
      memory.set(path, [look.stamp, digest]);
      changed = true;
    }
    return ok({name, path, digest});
  }

  /** Without a pause: thousands of files in one turn of the event loop take a few milliseconds. */
  function recall({name, path}: SourceFile): Artifact | undefined {
    const known = memory.get(path);
    if (known === undefined || statFile(path)?.stamp !== known[0]) return undefined;
    const [stamp, digest] = known;
    see(path, {stamp, settled: true}, digest);
    return {name, path, digest};
  }

  return {
    async digest(files) {
      const limit = pLimit(BREADTH);
      const found = files.map((file) => recall(file) ?? limit(read, file));
      const artifacts: Artifact[] = [];
      for (const item of found) {
        const result = item instanceof Promise ? await item : ok(item);
        if (!result.ok) return result;
        artifacts.push(result.value);
      }
      return ok(artifacts);
    },
    mayHaveChanged(path) {
      const stamp = seen.get(path)?.stamp;
      return stamp !== undefined && statFile(path)?.stamp !== stamp;
    },
    stampOf(path) {
      const found = seen.get(path);
      if (found === undefined) return undefined;
      return {identity: identityOf(readStamp(found.stamp)), digest: found.digest};
    },
    async save() {
      if (!changed) return ok();
      changed = false;
      return writeFileAtomic(file, JSON.stringify({schema: SCHEMA, files: Object.fromEntries(memory)}));
    },
  };
}

interface MemoryFile {
  readonly schema: number;
  readonly files: Readonly<Record<string, readonly [Stamp, Digest]>>;
}

const memoryFile = schemaOf<MemoryFile>(
  objectWith<MemoryFile>({schema: oneOf(SCHEMA), files: mapOf(tuple(isText, textThat(isDigest)))}),
);

/** The cache only saves time: an invalid one counts as empty. */
async function load(file: string): Promise<Memory> {
  const read = await readValidJson(file, memoryFile);
  return new Map(Object.entries(read?.files ?? {}));
}
