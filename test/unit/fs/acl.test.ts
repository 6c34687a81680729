/** Access control lists, which `stat` shows as permissions of the group. */
import {chmodSync, mkdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {privateCacheDir} from '../../../src/cache/private-cache-dir.js';
import {openStore} from '../../../src/cache/store.js';
import {isSharedBuildDir} from '../../../src/engine/build-dir-owner.js';
import {hasAcl} from '../../../src/fs/acl.js';
import {isOnlyOurs, openDirectoryAbove, othersMayRead} from '../../../src/fs/owners.js';
import {isReachedByOthers} from '../../../src/fs/readers.js';
import {allow} from '../../support/acl.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {describeWith} from '../../support/with.js';

const OTHER = 64_001;
const folder = temporaryDirectory('acl');
const probe = join(folder, 'probe');
writeFileSync(probe, '');
const canAllow = allow(probe, OTHER, 4);

let count = 0;
/** A directory of this user and its group, which another user may enter; write to, too, unless it is for readers. */
function opened(permissions = 7): string {
  count += 1;
  const path = join(folder, `opened ${count}\n`);
  mkdirSync(path);
  chmodSync(path, 0o770);
  expect(hasAcl(folder)).toBe(false);
  expect(allow(path, OTHER, permissions)).toBe(true);
  return path;
}

describeWith(canAllow, 'a file system with access control lists')('a directory with a list', () => {
  test('is one that others may write to, and those below it can be replaced', () => {
    const path = opened();
    expect(hasAcl(path)).toBe(true);
    expect(isOnlyOurs(path, statSync(path))).toBe(false);
    expect(openDirectoryAbove(join(path, 'a/b'))).toBe(path);
  });

  test('is one that others may read, unless its mask forbids it', () => {
    const path = opened(5);
    expect(othersMayRead(path, statSync(path))).toBe(true);
    expect(isOnlyOurs(path, statSync(path))).toBe(true);
    const {uid, gid} = statSync(path);
    expect(othersMayRead(path, {uid, gid, mode: 0o40700})).toBe(false);
  });

  test('holds no memos, build directories and sources', () => {
    const own = join(folder, 'own');
    mkdirSync(own, {mode: 0o700});
    expect(privateCacheDir(opened(), {XDG_CACHE_HOME: own})).toBe(join(own, 'flashfreeze'));
    expect(privateCacheDir(join(opened(), 'below'), {XDG_CACHE_HOME: own})).toBe(join(own, 'flashfreeze'));
  });

  test('is a shared cache: nothing private goes into it', async () => {
    chmodSync(folder, 0o755);
    const path = opened(5);
    expect(isReachedByOthers(path)).toBe(true);
    const store = await openStore(path);
    expect(store.ok && store.value.isShared).toBe(true);
  });

  test('is a build directory that others write to', async () => {
    expect(await isSharedBuildDir(opened())).toBe(true);
  });
});

test('a path without one, and one that is not there', () => {
  expect(hasAcl(folder)).toBe(false);
  expect(hasAcl(join(folder, 'nowhere'))).toBe(true);
});
