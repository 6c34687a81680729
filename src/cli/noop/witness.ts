import {type BigIntStats, lstatSync, statSync} from 'node:fs';
import {hasSettled} from '../../fs/path-state.js';

/** How a path is compared: as what it leads to, also by its entries, also as a link. */
export type Witness = 'f' | 'd' | 'l' | 'dl';

/** The state of a path where there is nothing. */
export const ABSENT = '-';

/** Whether a path did not change after a time, nor so shortly before that its times might not show a further change. */
export function isOlder(path: string, kind: Witness, time: number): boolean {
  return look(path, kind).every((stats) => {
    // Other things than regular files, and listed folders, are compared by what they are alone.
    if (!stats.isFile() && !stats.isSymbolicLink() && !kind.startsWith('d')) return true;
    return hasSettled(stats, time);
  });
}

/** Names the state of a path without reading what is there. */
export function stateOf(path: string, kind: Witness): string {
  const stats = look(path, kind);
  if (stats.length === 0) return ABSENT;
  return stats
    .map((each) => {
      const {dev, ino, mode, size, mtimeNs, ctimeNs} = each;
      const isWhole = each.isFile() || each.isSymbolicLink() || kind.startsWith('d');
      return isWhole ? `${dev}:${ino}:${mode}:${size}:${mtimeNs}:${ctimeNs}` : `${dev}:${ino}:${mode}`;
    })
    .join(' ');
}

/** What the path leads to, and, if it was asked where it leads, the path itself. */
function look(path: string, kind: Witness): readonly BigIntStats[] {
  try {
    const found = statSync(path, {bigint: true, throwIfNoEntry: false});
    const link = kind.endsWith('l') ? lstatSync(path, {bigint: true, throwIfNoEntry: false}) : undefined;
    const isLink = link?.isSymbolicLink() === true;
    return [...(found === undefined ? [] : [found]), ...(isLink ? [link] : [])];
  } catch {
    return [];
  }
}
