import {AsyncLocalStorage} from 'node:async_hooks';
import {resolve} from 'node:path';
import type {Digest} from '../model/digest.js';
import {type PathAspect, type PathState, statPath} from './path-state.js';

/** A path as a run found it, or left it. */
export interface RecordedPath {
  readonly path: string;
  readonly aspect: PathAspect;
  readonly state: string;
  /** The digest of the content, if the state alone is not reliable because the path had just changed. */
  readonly content: Digest | null;
}

/**
 * What a run reads from the file system outside of its actions, and what it writes. As long as all of it is unchanged,
 * the same run has nothing to do. Reads are recorded by `recorded-fs.ts`; the engine adds sources and outputs.
 */
export class Recording {
  private readonly read = new Map<string, RecordedPath>();
  private readonly written = new Map<string, RecordedPath>();
  private readonly builtIn = new Set<string>();
  private unknown: string | undefined;

  /** Records the reads of `act` and of everything that it calls. */
  run<T>(act: () => Promise<T>): Promise<T> {
    return current.run(this, act);
  }

  /** @param content the digest of what is there, if `state` is one that may hide a change */
  addRead(path: string, aspect: PathAspect, {state, settled}: PathState, content?: Digest): void {
    const absolute = resolve(path);
    const key = `${aspect} ${absolute}`;
    const known = this.read.get(key);
    const now = {path: absolute, aspect, state, content: settled ? null : (content ?? null)};
    if (known === undefined) {
      this.read.set(key, now);
    } else if (known.state !== state) {
      // Two different states: unless the run itself writes the path in the end, the memo is never valid.
      this.read.set(key, {...now, state: 'changed during the run'});
    } else if (now.content !== null) {
      this.read.set(key, now);
    }
  }

  /** Records a write, which replaces earlier reads of the path. */
  addWritten(path: string, aspect: PathAspect, {state, settled}: PathState, content?: Digest): void {
    const absolute = resolve(path);
    this.written.set(absolute, {path: absolute, aspect, state, content: settled ? null : (content ?? null)});
  }

  /** The run depends on something that cannot be recorded. */
  addGap(reason: string): void {
    this.unknown ??= reason;
  }

  /** Why `paths` is incomplete; undefined if it is complete. */
  gap(): string | undefined {
    return this.unknown;
  }

  /** The run works in this build directory, under its lock. */
  addBuildDir(path: string): void {
    this.builtIn.add(resolve(path));
  }

  buildDirs(): readonly string[] {
    return [...this.builtIn];
  }

  paths(): readonly RecordedPath[] {
    const read = [...this.read.values()].filter(({path}) => !this.written.has(path));
    return [...read, ...this.written.values()];
  }
}

/** Runs of one process may overlap, so each finds its own recording through its asynchronous context. */
const current = new AsyncLocalStorage<Recording | undefined>();

/** The recording of the current run; undefined if there is none. */
export function currentRecording(): Recording | undefined {
  return current.getStore();
}

/** Runs code whose reads are tracked in another way: an action by its declared inputs, a memo by the files that it names. */
export function withoutRecording<T>(act: () => T): T {
  return current.getStore() === undefined ? act() : current.run(undefined, act);
}

/** Records the state of a path before it is read; the state, for `addRead` once the content is known. */
export function recordPath(path: string, aspect: PathAspect): PathState | undefined {
  const recording = currentRecording();
  if (recording === undefined) return undefined;
  const state = statPath(path, aspect);
  recording.addRead(path, aspect, state);
  return state;
}
