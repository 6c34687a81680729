import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import pLimit from 'p-limit';
import {hashFile, writeFileAtomic} from '../fs/files.js';
import type {Artifact} from '../model/action.js';
import {isDigest, type Digest} from '../model/digest.js';
import {ok, type Result} from '../model/result.js';
import {type FileStamp, glance, readStamp, type Stamp} from './path-state.js';

/** A source file: its name in key records and its absolute path. */
export interface SourceFile {
  readonly name: string;
  readonly path: string;
}

/** The digests of source files, with a memory of the files that did not change since they were last read. */
export interface Sources {
  /** The digests of files, in the order asked for. Fails with IO for the first that cannot be read. */
  readonly digest: (files: readonly SourceFile[]) => Promise<Result<Artifact[]>>;
  /** Whether a file that was digested in this run may have changed since. */
  readonly mayHaveChanged: (path: string) => boolean;
  /** What a file looked like when it was digested in this run; undefined for one that was not. */
  readonly stampOf: (path: string) => FileStamp | undefined;
  readonly save: () => Promise<Result<void>>;
}

const SCHEMA = 1;
/** How many files are read at once. */
const BREADTH = 16;

type Memory = Map<string, readonly [Stamp, Digest]>;

/** Opens the memory in a build folder. A memory that is missing or unreadable is an empty one. */
export async function openSources(buildDir: string): Promise<Sources> {
  const file = join(buildDir, 'sources.json');
  const remembered = await load(file);
  const seen = new Map<string, Stamp>();
  let changed = false;

  async function read({name, path}: SourceFile): Promise<Result<Artifact>> {
    // First the look, then the reading: a change between the two makes the stamp differ the next time.
    const look = glance(path);
    const content = await hashFile(path);
    if (!content.ok) return content;
    const {digest} = content.value;
    if (look !== undefined) seen.set(path, look.stamp);
    if (look?.settled === true) {
      remembered.set(path, [look.stamp, digest]);
      changed = true;
    }
    return ok({name, path, digest});
  }

  /** Without a pause: thousands of files in one turn of the event loop take a few milliseconds. */
  function recall({name, path}: SourceFile): Artifact | undefined {
    const known = remembered.get(path);
    if (known === undefined || glance(path)?.stamp !== known[0]) return undefined;
    seen.set(path, known[0]);
    return {name, path, digest: known[1]};
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
      const stamp = seen.get(path);
      return stamp !== undefined && glance(path)?.stamp !== stamp;
    },
    stampOf(path) {
      const stamp = seen.get(path);
      return stamp === undefined ? undefined : readStamp(stamp);
    },
    async save() {
      if (!changed) return ok();
      changed = false;
      return writeFileAtomic(file, JSON.stringify({schema: SCHEMA, files: Object.fromEntries(remembered)}));
    },
  };
}

async function load(file: string): Promise<Memory> {
  const memory: Memory = new Map();
  try {
    const {schema, files} = JSON.parse(await readFile(file, 'utf8')) as {schema?: unknown; files?: object};
    if (schema !== SCHEMA) return memory;
    for (const [path, entry] of Object.entries(files ?? {})) {
      const [stamp, digest] = entry as readonly [unknown, unknown];
      if (typeof stamp === 'string' && typeof digest === 'string' && isDigest(digest)) {
        memory.set(path, [stamp, digest]);
      }
    }
  } catch {
    // The memory only saves time.
  }
  return memory;
}
