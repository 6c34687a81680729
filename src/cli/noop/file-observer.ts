import childProcess from 'node:child_process';
import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import {resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

/** What a run asked of a path. */
export interface Look {
  /** Whether there was something; undefined where that was not learned. */
  found: boolean | undefined;
  /** Whether it asked for the entries of a folder. */
  listed: boolean;
  /** Whether it asked where a symbolic link leads. */
  asLink: boolean;
}

/** Notes every path that is looked at, by whatever code of this process. */
export interface FileObserver {
  /** By absolute path. */
  readonly looks: ReadonlyMap<string, Look>;
  /** Whether a process was started, which looks at files of its own. */
  readonly startedProcess: () => boolean;
  /** Stops noting, and undoes what was done for it. */
  readonly stop: () => void;
}

type Kind = 'look' | 'list' | 'link';
type Callable = (...args: unknown[]) => unknown;

const LOOKS: Readonly<Record<string, Kind>> = {
  access: 'look',
  createReadStream: 'look',
  exists: 'look',
  lstat: 'link',
  open: 'look',
  opendir: 'list',
  readFile: 'look',
  readdir: 'list',
  readlink: 'link',
  realpath: 'link',
  stat: 'look',
};
const STARTS = ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'];

/**
 * Observes from here on. It stands in for Node's own functions, so that a look that somebody adds to some room later is
 * noted like all others: what is not noted would make a memo say more than it knows.
 */
export function observeFiles(): FileObserver {
  const looks = new Map<string, Look>();
  const undo: (() => void)[] = [];
  let started = false;

  function note(path: unknown, kind: Kind): Look | undefined {
    const text = path instanceof URL ? fileURLToPath(path) : Buffer.isBuffer(path) ? path.toString() : path;
    if (typeof text !== 'string') return undefined; // A descriptor: it was opened by its path.
    const absolute = resolve(text);
    let look = looks.get(absolute);
    if (look === undefined) looks.set(absolute, (look = {found: undefined, listed: false, asLink: false}));
    if (kind === 'list') look.listed = true;
    if (kind === 'link') look.asLink = true;
    return look;
  }

  /** What was there once and is not there a moment later is no state to rely on, and `found` stays as it was first. */
  function learn(look: Look | undefined, found: boolean): void {
    if (look !== undefined) look.found ??= found;
  }

  function replace(host: object, name: string, by: (original: Callable) => Callable): void {
    const functions = host as Record<string, unknown>;
    const original = functions[name];
    if (typeof original !== 'function') return;
    // Some functions have others as properties (`realpath.native`).
    functions[name] = Object.assign(by(original as Callable), original);
    undo.push(() => {
      functions[name] = original;
    });
  }

  for (const [name, kind] of Object.entries(LOOKS)) {
    replace(fs, name, (original) => (path, ...rest) => {
      note(path, kind);
      return original.call(fs, path, ...rest);
    });
    replace(fs, `${name}Sync`, (original) => (path, ...rest) => {
      const look = note(path, kind);
      try {
        const value = original.call(fs, path, ...rest);
        learn(look, value !== undefined && value !== false);
        return value;
      } catch (error) {
        learn(look, false);
        throw error;
      }
    });
    replace(fs.promises, name, (original) => (path, ...rest) => {
      const look = note(path, kind);
      const promise = original.call(fs.promises, path, ...rest) as Promise<unknown>;
      promise.then(
        () => {
          learn(look, true);
        },
        () => {
          learn(look, false);
        },
      );
      return promise;
    });
  }
  for (const name of STARTS) {
    replace(childProcess, name, (original) => (...args) => {
      started = true;
      return original.call(childProcess, ...args);
    });
  }
  syncBuiltinESMExports();
  return {
    looks,
    startedProcess: () => started,
    stop() {
      for (const act of undo) act();
      syncBuiltinESMExports();
    },
  };
}
