import {chmodSync, chownSync, existsSync, lchownSync, mkdirSync, statSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {scrubbedEnvironment} from '../../../src/exec/environment.js';
import {temporaryPlace} from '../../../src/fs/temporary-place.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {describeWith} from '../../support/with.js';

const STICKY = 0o1000;
const ANOTHER = 64_001;
let folder = '';
let place = '';
beforeEach(() => {
  folder = temporaryDirectory('temporary-place');
  place = join(folder, 'tmp');
  mkdirSync(place);
});
const chosen = (): string => temporaryPlace({TMPDIR: place, HOME: folder});
/** Where it is if the one that the user chose is of no use. */
const isSafe = (path: string): boolean => (statSync(path).mode & STICKY) !== 0;

describe('the directory for temporary files', () => {
  test('is that of the user', () => {
    expect(chosen()).toBe(place);
    expect(scrubbedEnvironment({}, {TMPDIR: place})).toMatchObject({TMPDIR: place});
  });

  test('one that is not there stays, to be named by whoever needs it', () => {
    expect(temporaryPlace({TMPDIR: join(folder, 'none')})).toBe(join(folder, 'none'));
  });

  test.each([0o777, 0o2777])('is another one if others can replace what is in it: %o', (mode) => {
    chmodSync(place, mode);
    expect(chosen()).not.toBe(place);
    if (existsSync('/tmp') && isSafe('/tmp')) expect(chosen()).toBe('/tmp');
    // Compilers and interpreters use it, too.
    expect(scrubbedEnvironment({}, {TMPDIR: place})['TMPDIR']).toBe(chosen());
  });

  test.each([
    ['the home directory', 'home', (home: string) => home],
    ['the working directory', 'none', () => process.cwd()],
  ])('is another one that is there: %s', (_, name, expected) => {
    chmodSync(place, 0o777);
    mkdirSync(join(folder, 'home'));
    const home = join(folder, name);
    expect(temporaryPlace({TMPDIR: place, HOME: home}, [join(folder, 'none')])).toBe(expected(home));
  });

  test('is that of the user if the sticky bit is set', () => {
    chmodSync(place, 0o1777);
    expect(chosen()).toBe(place);
  });

  test('counts the directories above it', () => {
    const below = join(place, 'below');
    mkdirSync(below);
    chmodSync(place, 0o777);
    expect(temporaryPlace({TMPDIR: below})).not.toBe(below);
  });
});

describeWith(process.getuid?.() === 0, 'root')('another user', () => {
  test.each([0o755, 0o1777])('does not own the directory for temporary files: %o', (mode) => {
    chownSync(place, ANOTHER, ANOTHER);
    chmodSync(place, mode);
    expect(chosen()).not.toBe(place);
  });

  test('does not own a link to it', () => {
    const link = join(folder, 'link');
    symlinkSync(place, link);
    lchownSync(link, ANOTHER, ANOTHER);
    expect(temporaryPlace({TMPDIR: link})).not.toBe(link);
  });
});
