import {rmSync} from 'node:fs';
import {afterAll} from '@jest/globals';
import {makeDirectory} from '../../support/make-directory.js';

const made: string[] = [];

/**
 * Makes an empty directory that is removed after the last test of the file. It can be called in a test, in a hook or outside
 * of both.
 * @returns its real path
 */
export function temporaryDirectory(name = 'test'): string {
  const path = makeDirectory(name);
  made.push(path);
  return path;
}

afterAll(() => {
  // A process that was killed may still write its last files.
  for (const path of made.splice(0)) rmSync(path, {recursive: true, force: true, maxRetries: 5});
});
