import {glance} from '../engine/stamps.js';

/** What files looked like when a build was about to read them. */
export class Snapshot {
  private readonly stamps = new Map<string, string | undefined>();

  /** Looks at files that were not looked at yet. */
  take(paths: Iterable<string>): void {
    for (const path of paths) if (!this.stamps.has(path)) this.stamps.set(path, glance(path)?.stamp);
  }

  /** The files that look otherwise now: changed, gone, or back again. */
  outdated(): string[] {
    return [...this.stamps].filter(([path, stamp]) => glance(path)?.stamp !== stamp).map(([path]) => path);
  }
}
