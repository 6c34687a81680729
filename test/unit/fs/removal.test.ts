/** What deletes: never through links, and only what it is asked to. */
import {chmodSync, existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {
  clearFile,
  clearPath,
  removeEmptyDirectory,
  removeFile,
  removeFileSync,
  removeFlatDirectorySync,
  removeTree,
} from '../../../src/fs/removal.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {describeWith} from '../../support/with.js';

let folder: string;
let home: string;
beforeEach(() => {
  folder = temporaryDirectory();
  home = join(folder, 'home');
  mkdirSync(join(home, 'letters'), {recursive: true});
  writeFileSync(join(home, 'letters/one'), 'dear');
});

/** What is in the home of somebody whose files are not to be deleted. */
const content = (): string[] => readdirSync(home, {recursive: true, encoding: 'utf8'}).sort();
const UNTOUCHED = ['letters', 'letters/one'];

const sync = (remove: (path: string) => boolean) => (path: string) => Promise.resolve(remove(path));
const ways = {
  removeFile,
  removeTree,
  clearFile,
  clearPath,
  removeFileSync: sync(removeFileSync),
};

describe.each(Object.entries(ways))('%s', (_, remove) => {
  test.each(['home', 'home/letters/one', 'nowhere'])('removes a link to %s, and nothing else', async (to) => {
    const link = join(folder, 'link');
    symlinkSync(join(folder, to), link);
    await remove(link);
    expect(readdirSync(folder)).toEqual(['home']);
    expect(content()).toEqual(UNTOUCHED);
  });

  test('is content with what is not there', async () => {
    expect(await remove(join(folder, 'nowhere'))).not.toBe(false);
  });
});

test.each([removeTree, clearPath])(
  'a tree goes with the links in it, not with what they lead to',
  async (remove) => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'a/b'), {recursive: true});
    writeFileSync(join(tree, 'a/b/file'), '');
    symlinkSync(home, join(tree, 'a/link'));
    symlinkSync(join(home, 'letters/one'), join(tree, 'a/b/other'));
    await remove(tree);
    expect(existsSync(tree)).toBe(false);
    expect(content()).toEqual(UNTOUCHED);
  },
);

test('a directory that becomes a link meanwhile is left, with all that the link leads to', async () => {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'sub'), {recursive: true});
  writeFileSync(join(tree, 'sub/letters'), '');
  // Between the look at the directory and its opening.
  const isGone = await removeTree(join(tree, 'sub'), () => {
    if (existsSync(join(tree, 'moved'))) return true;
    renameSync(join(tree, 'sub'), join(tree, 'moved'));
    symlinkSync(home, join(tree, 'sub'));
    return true;
  });
  expect(isGone).toBe(false);
  expect(content()).toEqual(UNTOUCHED);
});

test('files only, where only files are meant', async () => {
  expect(await removeFile(home)).toBe(false);
  expect(removeFileSync(home)).toBe(false);
  await expect(clearFile(home)).rejects.toThrow(/EISDIR|EPERM/);
  expect(await removeEmptyDirectory(home)).toBe(false);
  expect(removeFlatDirectorySync(home)).toBe(false);
  expect(content()).toEqual(UNTOUCHED);
});

test('a flat directory goes with its files, and not through a link', () => {
  expect(removeFlatDirectorySync(join(home, 'letters'))).toBe(true);
  expect(content()).toEqual([]);
  writeFileSync(join(home, 'new'), '');
  symlinkSync(home, join(folder, 'link'));
  removeFlatDirectorySync(join(folder, 'link'));
  expect(content()).toEqual(['new']);
});

describeWith(process.getuid?.() !== 0, 'permissions that hold, which root has not')(
  'with permissions',
  () => {
    test('what cannot be removed is an error that says why', async () => {
      chmodSync(join(home, 'letters'), 0o500);
      await expect(clearPath(home)).rejects.toThrow(/ENOTEMPTY/);
      await expect(clearFile(join(home, 'letters/one'))).rejects.toThrow(/EACCES/);
      chmodSync(join(home, 'letters'), 0o700);
    });
  },
);

test.each([
  ['a tree', removeTree],
  ['a flat directory', sync(removeFlatDirectorySync)],
])('%s goes with names that are not UTF-8, and nothing of similar names', async (what, remove) => {
  const path = join(folder, 'odd');
  const below = what === 'a tree' ? Buffer.from(`${path}/\u00ff/`, 'latin1') : Buffer.from(`${path}/`);
  mkdirSync(below, {recursive: true});
  for (const name of ['\u00ff', '\u00e9\n'])
    writeFileSync(Buffer.concat([below, Buffer.from(name, 'latin1')]), '');
  writeFileSync(Buffer.concat([below, Buffer.from('\ufffd')]), '');
  expect(await remove(path)).toBe(true);
  expect(readdirSync(folder)).toEqual(['home']);
});
