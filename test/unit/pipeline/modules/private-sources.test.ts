/** Which sources other users may not read. */
import {chmodSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {forgetReaders, isReachedByOthers} from '../../../../src/fs/readers.js';
import {isPrivateSource} from '../../../../src/pipeline/modules/private-sources.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
beforeEach(() => {
  forgetReaders();
  folder = temporaryDirectory();
  chmodSync(folder, 0o755);
});

/** A source in directories of such permissions, from the innermost one. */
function source(name: string, mode: number, ...directories: readonly number[]): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, '');
  chmodSync(path, mode);
  let at = dirname(path);
  for (const each of directories) {
    chmodSync(at, each);
    at = dirname(at);
  }
  return path;
}

const isPrivate = (path: string, isCPythonFrozen = false): boolean =>
  isPrivateSource({source: path, isCPythonFrozen}, {stdlib: join(folder, 'lib')});

test.each([
  [0o644, false],
  [0o444, false],
  [0o600, true],
  [0o640, true],
  [0o400, true],
])('a file of mode %o', (mode, expected) => {
  expect(isPrivate(source('app/a.py', mode, 0o755))).toBe(expected);
});

test.each([
  [[0o755, 0o711], false],
  [[0o700, 0o755], true],
  [[0o755, 0o700], true],
  [[0o750, 0o755], true],
])('a file in directories of modes %j', (directories, expected) => {
  expect(isPrivate(source('home/app/a.py', 0o644, ...directories))).toBe(expected);
});

test('a link is what it leads to', () => {
  const path = source('home/app/a.py', 0o644, 0o755, 0o700);
  symlinkSync(path, join(folder, 'b.py'));
  expect(isPrivate(join(folder, 'b.py'))).toBe(true);
  mkdirSync(join(folder, 'closed'), {mode: 0o700});
  symlinkSync(source('open.py', 0o644), join(folder, 'closed/c.py'));
  expect(isPrivate(join(folder, 'closed/c.py'))).toBe(false);
});

test('the standard library is no secret, unless its file is, and without what is installed in it', () => {
  expect(isPrivate(source('lib/a.py', 0o644, 0o700))).toBe(false);
  expect(isPrivate(source('lib/json/a.py', 0o644, 0o755, 0o700))).toBe(false);
  expect(isPrivate(source('lib/b.py', 0o600, 0o700))).toBe(true);
  expect(isPrivate(source('lib/site-packages/a.py', 0o644, 0o755, 0o700))).toBe(true);
  expect(isPrivate(source('lib/dist-packages/a/b.py', 0o644, 0o755, 0o755, 0o700))).toBe(true);
  expect(isPrivate(source('library/a.py', 0o644, 0o700))).toBe(true);
  expect(isPrivate(source('Modules/getpath.py', 0o644, 0o700), true)).toBe(false);
  expect(isPrivate(source('Modules/own.py', 0o600), true)).toBe(true);
});

test('a source that is not there may be read by nobody', () => {
  expect(isPrivate(join(folder, 'nowhere.py'))).toBe(true);
});

test.each([
  [0o700, false],
  [0o711, true],
  [0o755, true],
  [0o777, true],
])('a cache of mode %o is reached by others: %s', (mode, expected) => {
  const path = join(folder, 'cache');
  mkdirSync(path);
  chmodSync(path, mode);
  expect(isReachedByOthers(path)).toBe(expected);
  forgetReaders();
  chmodSync(folder, 0o700);
  expect(isReachedByOthers(path)).toBe(false);
});
