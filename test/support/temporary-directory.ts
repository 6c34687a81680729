import {mkdtempSync, realpathSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll} from '@jest/globals';

const made: string[] = [];

/**
 * An empty directory that is removed after the last test of the file. It can be called in a test, in a hook or outside of
 * both.
 * @returns its real path: nothing in it is a symbolic link
 */
export function temporaryDirectory(name = 'test'): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `flashfreeze-${name}-`)));
  made.push(path);
  return path;
}

afterAll(() => {
  // A process that was killed may still write its last files.
  for (const path of made.splice(0)) rmSync(path, {recursive: true, force: true, maxRetries: 5});
});
