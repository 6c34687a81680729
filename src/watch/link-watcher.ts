import {type FSWatcher, watch} from 'node:fs';
import {dirname} from 'node:path';
import {linksOn, readLink} from '../fs/links.js';

/** Reports symbolic links that are switched: deployments move `current` from one release to the next. */
export interface LinkWatcher {
  /** Watches the links that these directories are reached through, in the place of those watched before. */
  readonly watch: (folders: Iterable<string>) => void;
  readonly close: () => void;
}

/**
 * chokidar watches what a path leads to, not the links on the way. The directories that hold these links are few, so each is watched by
 * itself; where the system cannot watch one, the links are read every `pollMs`.
 * @param poll whether to read the links in any case
 * @param onSwitch gets the path of a link that leads elsewhere than before, or nowhere
 */
export function createLinkWatcher(
  {poll, pollMs}: {readonly poll: boolean; readonly pollMs: number},
  onSwitch: (link: string) => void,
): LinkWatcher {
  const targets = new Map<string, string | undefined>();
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    for (const [link, before] of targets) {
      const now = readLink(link);
      if (now === before) continue;
      targets.set(link, now);
      onSwitch(link);
    }
  }

  function usePolling(): void {
    timer ??= setInterval(look, pollMs);
  }

  function watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, {persistent: false}, look);
      watcher.on('error', usePolling);
      watchers.set(folder, watcher);
    } catch {
      usePolling();
    }
  }

  function close(): void {
    clearInterval(timer);
    timer = undefined;
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
    targets.clear();
  }

  return {
    watch(folders) {
      const links = new Set([...folders].flatMap(linksOn));
      for (const link of targets.keys()) if (!links.has(link)) targets.delete(link);
      for (const link of links) if (!targets.has(link)) targets.set(link, readLink(link));
      const holders = new Set([...links].map(dirname));
      for (const [folder, watcher] of watchers) {
        if (holders.has(folder)) continue;
        watcher.close();
        watchers.delete(folder);
      }
      if (poll && links.size > 0) usePolling();
      if (!poll) for (const folder of holders) if (!watchers.has(folder)) watchFolder(folder);
    },
    close,
  };
}
