import {mkdtempSync, realpathSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/**
 * Makes an empty directory, which the caller removes; in tests, `temporaryDirectory` does that itself.
 * @returns its real path: nothing in it is a symbolic link
 */
export function makeDirectory(name: string): string {
  return realpathSync(mkdtempSync(join(tmpdir(), `flashfreeze-${name}-`)));
}
