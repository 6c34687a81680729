import {lstatSync, readlinkSync} from 'node:fs';
import {dirname, isAbsolute, join, sep} from 'node:path';

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
