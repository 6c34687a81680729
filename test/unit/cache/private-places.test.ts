/** Where build directories and memos lie when the cache directory is not only ours. */
import {spawnSync} from 'node:child_process';
import {chmodSync, chownSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {privateCacheDir} from '../../../src/cache/private-cache-dir.js';
import {checkBuildDirOwner} from '../../../src/engine/build-dir-owner.js';
import {ensurePrivate} from '../../../src/fs/private-directory.js';
import {writeScript} from '../../support/scripts.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {describeWith} from '../../support/with.js';

let folder: string;
let environment: {readonly XDG_CACHE_HOME: string};
beforeEach(() => {
  folder = temporaryDirectory();
  environment = {XDG_CACHE_HOME: join(folder, 'own')};
});

/** The cache directory, with such permissions. */
function cacheWith(mode: number): string {
  const path = join(folder, 'cache');
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

test.each([0o700, 0o755])('a cache directory of mode %o holds them', (mode) => {
  const cache = cacheWith(mode);
  expect(privateCacheDir(cache, environment)).toBe(cache);
});

test('a cache directory that is not there yet will hold them', () => {
  const cache = join(folder, 'not/yet');
  expect(privateCacheDir(cache, environment)).toBe(cache);
});

test.each([0o777, 0o1777, 0o2777])('with a cache directory of mode %o, the own one does', (mode) => {
  expect(privateCacheDir(cacheWith(mode), environment)).toBe(join(folder, 'own/flashfreeze'));
});

test('the own one is that of the user, even if the environment names the shared one', () => {
  const cache = cacheWith(0o777);
  const both = {...environment, FLASHFREEZE_CACHE_DIR: cache};
  expect(privateCacheDir(cache, both)).toBe(join(folder, 'own/flashfreeze'));
});

test('a directory above that others may write to counts, unless it is sticky', () => {
  const cache = cacheWith(0o700);
  chmodSync(folder, 0o777);
  expect(privateCacheDir(cache, {XDG_CACHE_HOME: '/nowhere'})).toBe('/nowhere/flashfreeze');
  chmodSync(folder, 0o1777);
  expect(privateCacheDir(cache, environment)).toBe(cache);
});

test('a link to a directory that others may write to is such a directory', () => {
  const cache = cacheWith(0o777);
  symlinkSync(cache, join(folder, 'link'));
  expect(privateCacheDir(join(folder, 'link'), environment)).toBe(join(folder, 'own/flashfreeze'));
});

test('a private directory is made with mode 700, and what is too open is closed', async () => {
  const path = join(folder, 'a/b');
  expect(await ensurePrivate(path)).toEqual({ok: true});
  expect([path, join(folder, 'a')].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o700]);
  chmodSync(path, 0o777);
  expect(await ensurePrivate(path)).toEqual({ok: true});
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('a link or a file in its place is refused', async () => {
  mkdirSync(join(folder, 'elsewhere'), {mode: 0o755});
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'));
  writeFileSync(join(folder, 'file'), '');
  expect(await ensurePrivate(join(folder, 'link'))).toMatchObject({failure: {code: 'IO'}});
  expect(await ensurePrivate(join(folder, 'file'))).toMatchObject({failure: {code: 'IO'}});
  expect(statSync(join(folder, 'elsewhere')).mode & 0o777).toBe(0o755);
});

describeWith(process.getuid?.() === 0, 'the right to be several users')('of another user', () => {
  const OTHER = 64_001;

  test('a cache directory does not hold them', () => {
    const cache = cacheWith(0o755);
    chownSync(cache, OTHER, OTHER);
    expect(privateCacheDir(cache, environment)).toBe(join(folder, 'own/flashfreeze'));
  });

  test('a private directory is refused', async () => {
    const path = cacheWith(0o700);
    chownSync(path, OTHER, OTHER);
    expect(await ensurePrivate(path)).toMatchObject({
      failure: {code: 'IO', message: `${path} belongs to the user ${OTHER}`},
    });
  });

  test('a private directory in a directory of theirs is refused', async () => {
    const above = cacheWith(0o755);
    chownSync(above, OTHER, OTHER);
    expect(await ensurePrivate(join(above, 'builds'))).toMatchObject({
      failure: {message: `${above}/builds lies in ${above}, which belongs to the user ${OTHER}`},
    });
  });

  test('a link of theirs on the way does not lead to private directories', async () => {
    const cache = cacheWith(0o700);
    const link = join(folder, 'link');
    symlinkSync(cache, link);
    lchownSync(link, OTHER, OTHER);
    expect(privateCacheDir(link, environment)).toBe(join(folder, 'own/flashfreeze'));
    expect(await ensurePrivate(join(link, 'builds'))).toMatchObject({
      failure: {message: `${link}/builds lies behind ${link}, a symbolic link of the user ${OTHER}`},
    });
    expect(await checkBuildDirOwner(join(link, 'build'), false)).toMatchObject({
      failure: {
        code: 'OUTPUT',
        message: expect.stringContaining(`behind ${link}, a symbolic link of the user`),
      },
    });
    expect(await checkBuildDirOwner(join(link, 'build'), true)).toEqual({ok: true});
    lchownSync(link, 0, 0);
    expect(await checkBuildDirOwner(join(link, 'build'), false)).toEqual({ok: true});
    // One's own, where they can replace it.
    chmodSync(folder, 0o777);
    const beside = join(temporaryDirectory(), 'cache');
    mkdirSync(beside, {mode: 0o700});
    symlinkSync(beside, join(folder, 'own-link'));
    expect(privateCacheDir(join(folder, 'own-link'), {XDG_CACHE_HOME: '/nowhere'})).toBe(
      '/nowhere/flashfreeze',
    );
  });

  test('a group that only they are in may write, and nobody else', () => {
    const code = temporaryDirectory();
    chmodSync(code, 0o755);
    const cache = cacheWith(0o2770);
    chownSync(cache, OTHER, OTHER);
    const ask = writeScript(
      code,
      'ask',
      `import {privateCacheDir} from './cache/private-cache-dir.js';
       process.setgid(${OTHER}); process.setuid(${OTHER});
       console.log(privateCacheDir(process.argv[2], {XDG_CACHE_HOME: '/own'}));`,
    );
    const asked = spawnSync(process.execPath, [ask, cache], {encoding: 'utf8'});
    // The group is not in /etc/group, so nobody knows who is in it.
    expect(asked.stdout).toBe('/own/flashfreeze\n');
  });
});
