import {statSync} from 'node:fs';
import {type FSWatcher, watch} from 'chokidar';
import {errnoOf, messageOf} from '../model/errno.js';
import type {EventSink} from '../model/events.js';
import type {ChangeKind} from './build-cycle.js';
import {createLinkWatcher} from './link-watcher.js';
import type {Scope} from './scope.js';

/** Reports changes in directories. */
export interface Watcher {
  /**
   * Watches the directories of a scope, too. Those of earlier ones stay: what was removed from them may come back. Resolves when the
   * first directories are watched; for those that are added later nothing tells.
   */
  readonly watch: (scope: Scope) => Promise<void>;
  /** Whether it polls files instead of being notified. */
  readonly isPolling: () => boolean;
  readonly close: () => Promise<void>;
}

export interface WatcherOptions {
  /** Do not use notifications of the system: some file systems never send them (network drives, WSL, Docker). */
  readonly poll: boolean;
  /** Milliseconds between two looks when polling: 300 if not given. */
  readonly pollMs?: number;
  readonly events: EventSink;
  readonly onChange: (path: string, kind: ChangeKind) => void;
}

const POLL_MS = 300;

/** inotify(7): out of watches, out of instances, out of file descriptors. */
const LIMITS: readonly (string | undefined)[] = ['ENOSPC', 'EMFILE', 'ENFILE'];

/**
 * A watcher over chokidar 5, which falls back to polling where the system's limits leave no choice, and says so. It is quick,
 * not complete: chokidar drops what follows a change of the same file within 50 ms (`_throttle` in its index.ts), and when
 * polling, a file that is replaced by an older one of the same size. Callers that need the last state have to check files themselves.
 */
export function createWatcher(
  {poll, pollMs = POLL_MS, events, onChange}: WatcherOptions,
  openChokidar: typeof watch = watch,
): Watcher {
  let polling = poll;
  let scope: Scope | undefined;
  const watched = new Set<string>();
  let current: FSWatcher | undefined;
  let switching: Promise<void> = Promise.resolve();
  let closed = false;
  /** What is to be read once more. */
  const again = new Set<NodeJS.Timeout>();
  /** Ends the waiting for the first look at all directories: who is closed before tells nobody when it is over. */
  let stopWaiting: () => void = () => undefined;

  const links = createLinkWatcher({poll, pollMs}, (link) => {
    onChange(link, 'written');
    // What is watched below the link is what it led to before.
    reopen();
  });

  function open(folders: readonly string[]): Promise<void> {
    const watcher = openChokidar([...folders], {
      depth: 0,
      ignoreInitial: true,
      // The build cycle waits for changes to settle: here every change counts at once.
      atomic: false,
      usePolling: polling,
      interval: pollMs,
      // Directories are asked about before anything is known of them, so those that are watched are let through by name.
      ignored: (path, stats) =>
        stats !== undefined &&
        !watched.has(path) &&
        scope?.isRelevant(path, stats.isDirectory() ? 'folder' : 'file') !== true,
    });
    current = watcher;
    const told = (path: string, kind: ChangeKind): void => {
      if (watcher === current && scope?.isRelevant(path, 'file') === true) onChange(path, kind);
    };
    const toldOfFolder = (path: string, kind: ChangeKind): void => {
      if (watcher !== current || scope?.isRelevant(path, 'folder') !== true) return;
      // One that comes back is not watched any more; one that is new may become a package.
      if (kind === 'written') watchNew(watcher, path);
      onChange(path, kind);
    };
    watcher.on('add', (path) => {
      told(path, 'written');
    });
    watcher.on('change', (path) => {
      told(path, 'written');
    });
    watcher.on('unlink', (path) => {
      told(path, 'removed');
    });
    watcher.on('addDir', (path) => {
      toldOfFolder(path, 'written');
    });
    watcher.on('unlinkDir', (path) => {
      toldOfFolder(path, 'removed');
    });
    watcher.on('error', (error) => {
      if (watcher === current) onError(error);
    });
    return new Promise((ready) => {
      stopWaiting = ready;
      watcher.once('ready', ready);
    });
  }

  /**
   * Watches a directory that appeared. When polling, chokidar reads it first and then begins to watch it, and would never
   * notice a file that is made in between; so it is read once more.
   */
  function watchNew(watcher: FSWatcher, path: string): void {
    const before = changeTime(path);
    watcher.add(path);
    if (!polling) return;
    const timer = setTimeout(() => {
      again.delete(timer);
      if (watcher !== current) return;
      watcher.add(path);
      if (changeTime(path) !== before) onChange(path, 'written');
    }, pollMs);
    again.add(timer);
  }

  async function shut(watcher: FSWatcher | undefined): Promise<void> {
    const closing = watcher?.close();
    // Closing removed all listeners, and an error without a listener ends the process.
    watcher?.on('error', () => undefined);
    stopWaiting();
    await closing;
  }

  function onError(error: unknown): void {
    const code = errnoOf(error);
    if (polling || !LIMITS.includes(code)) {
      events.emit({type: 'warning', message: `watching for changes: ${messageOf(error)}`});
      return;
    }
    polling = true;
    events.emit({
      type: 'warning',
      message: `the system's limit of watched files is reached (${code ?? ''}): polling every ${pollMs} ms instead`,
      hint: 'raise it with: sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512',
    });
    reopen();
  }

  /** Watches all directories anew. */
  function reopen(): void {
    const closing = shut(current);
    switching = Promise.all([switching, closing]).then(() => (closed ? undefined : open([...watched])));
  }

  return {
    async watch(wanted) {
      scope = wanted;
      const added = [...wanted.folders].filter((folder) => !watched.has(folder));
      for (const folder of added) watched.add(folder);
      await switching;
      if (current === undefined) await open(added);
      else if (added.length > 0) current.add(added);
      links.watch(wanted.folders);
    },
    isPolling: () => polling,
    async close() {
      closed = true;
      again.forEach(clearTimeout);
      links.close();
      await switching;
      await shut(current);
    },
  };
}

function changeTime(folder: string): number | undefined {
  return statSync(folder, {throwIfNoEntry: false})?.mtimeMs;
}
