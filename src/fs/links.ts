import {lstatSync, readlinkSync} from 'node:fs';
import {dirname, isAbsolute, join, sep} from 'node:path';
import {isForeign, isSudoInvoker, isUnmapped} from './owners.js';

/** As many links as Linux follows in one path (MAXSYMLINKS, include/linux/namei.h). */
const MOST_LINKS = 40;

/**
 * The symbolic links that an absolute path leads through, in the order in which they are followed: of its directories, of itself,
 * and of where those links lead. Each is an absolute path; where nothing is, the path ends.
 */
export function linksOn(path: string): readonly string[] {
  const links: string[] = [];
  let place: string = sep;
  const rest = path.split(sep).filter((name) => name !== '');
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '.') continue;
    if (name === '..') {
      place = dirname(place);
      continue;
    }
    const next = join(place, name);
    const target = readLink(next);
    if (target === undefined) {
      place = next;
      continue;
    }
    links.push(next);
    if (links.length > MOST_LINKS) break;
    if (isAbsolute(target)) place = sep;
    rest.unshift(...target.split(sep).filter((part) => part !== ''));
  }
  return links;
}

/** Where a symbolic link leads, as it is written in it; undefined for anything else. */
export function readLink(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** A symbolic link that belongs to another user. */
export interface ForeignLink {
  readonly path: string;
  /** Its owner. */
  readonly uid: number;
}

/**
 * The first link of another user on the way to an absolute path. That user decides where the path leads, perhaps to files of this user that are
 * something else: a checkout of what that user wrote, for example. Undefined if there is none.
 */
export function foreignLinkOn(path: string): ForeignLink | undefined {
  for (const link of linksOn(path)) {
    const stats = lstatSync(link, {throwIfNoEntry: false});
    if (stats === undefined || !isForeign(stats)) continue;
    if (!isSudoInvoker(stats.uid) && !isUnmapped(stats.uid)) return {path: link, uid: stats.uid};
  }
  return undefined;
}
