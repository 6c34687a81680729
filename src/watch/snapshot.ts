import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {statFile} from '../fs/path-state.js';
import type {Scope} from './scope.js';

/** The state of files and directories before a build read them. */
export class Snapshot {
  private readonly stamps = new Map<string, string | undefined>();
  private readonly listings = new Map<string, ReadonlySet<string>>();
  private readonly unsteady = new Set<string>();

  /**
   * Records files. A recorded file that has changed since was read in an unknown one of these states, so it
   * counts as outdated whatever it looks like later.
   */
  take(paths: Iterable<string>): void {
    for (const path of paths) {
      const stamp = statFile(path)?.stamp;
      if (!this.stamps.has(path)) this.stamps.set(path, stamp);
      else if (this.stamps.get(path) !== stamp) this.unsteady.add(path);
    }
  }

  /** Looks into the directories of a scope that were not looked into yet. */
  takeFolders({folders, isRelevant}: Scope): void {
    for (const folder of folders) {
      if (!this.listings.has(folder)) this.listings.set(folder, list(folder, isRelevant));
    }
  }

  /** The changes since then: files that changed, disappeared or came back, and new entries of directories. */
  outdated({isRelevant}: Pick<Scope, 'isRelevant'>): string[] {
    const files = [...this.stamps]
      .filter(([path, stamp]) => this.unsteady.has(path) || statFile(path)?.stamp !== stamp)
      .map(([path]) => path);
    const added = [...this.listings].flatMap(([folder, before]) =>
      [...list(folder, isRelevant)].filter((path) => !before.has(path)),
    );
    return [...new Set([...files, ...added])];
  }
}

/** The paths in a directory that may be Python source; none in one that cannot be read. */
function list(folder: string, isRelevant: Scope['isRelevant']): ReadonlySet<string> {
  try {
    const entries = readdirSync(folder, {withFileTypes: true});
    const paths = entries.map((entry) => ({
      path: join(folder, entry.name),
      kind: entry.isDirectory() ? ('folder' as const) : ('file' as const),
    }));
    return new Set(paths.filter(({path, kind}) => isRelevant(path, kind)).map(({path}) => path));
  } catch {
    return new Set();
  }
}
