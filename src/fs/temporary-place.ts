import {realpathSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {homeDirectory} from './home-directory.js';
import {foreignLinkOn} from './links.js';
import {openDirectoryAbove} from './owners.js';

/** Where everybody has temporary files, and nobody can replace those of others. */
const USUAL = ['/tmp', '/var/tmp'] as const;

const chosen = new Map<string, string>();

/**
 * The directory for temporary files: that of the user, unless others can replace what is in it (one that a group may write to, without the sticky
 * bit, or one of another user). What lies there decides what runs: what helpers answer, what a compiler passes to the assembler.
 */
export function temporaryPlace(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  usual: readonly string[] = USUAL,
): string {
  const told = environment['TMPDIR'] ?? '';
  // Absolute, because not every child runs in our working directory.
  const place = resolve(told === '' ? tmpdir() : told);
  const known = chosen.get(place);
  if (known !== undefined) return known;
  const found = canBeReplaced(place)
    ? // Where a build system isolates its actions, there may be neither those nor a home directory.
      [...usual, homeDirectory(environment), process.cwd()].find(
        (other) => isDirectory(other) && !canBeReplaced(other),
      )
    : place;
  chosen.set(place, found ?? place);
  return found ?? place;
}

const isDirectory = (path: string): boolean =>
  statSync(path, {throwIfNoEntry: false})?.isDirectory() === true;

function canBeReplaced(place: string): boolean {
  try {
    return (
      openDirectoryAbove(join(realpathSync(place), 'entry')) !== undefined ||
      foreignLinkOn(place) !== undefined
    );
  } catch {
    // It is not there: whoever needs it says so.
    return false;
  }
}
