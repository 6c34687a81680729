import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {
  copyFileAtomic,
  hashFile,
  ioFailure,
  moveFile,
  replaceFile,
  writeFileAtomic,
} from '../../../src/fs/files.js';
import {digestOf} from '../../../src/model/digest.js';
import {temporaryFolder, type TemporaryFolder} from '../exec/rig.js';

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  folder.remove();
});

test.each([
  ['ENOSPC', 'no room left on the disk'],
  ['EACCES', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
])('%s becomes a message that names the path', (code, words) => {
  const error = Object.assign(new Error('raw'), {code});
  expect(ioFailure('write', '/a/b', error)).toEqual({code: 'IO', message: `cannot write /a/b: ${words}`});
});

test.each([0, 1, 1 << 20, (1 << 20) - 1, (1 << 20) + 1, 3 << 20])(
  'a file of %d bytes has its digest',
  async (size) => {
    const content = Buffer.alloc(size, 'abc');
    writeFileSync(folder.at('file'), content);
    expect(await hashFile(folder.at('file'))).toEqual({ok: true, value: {digest: digestOf(content), size}});
  },
);

test('files without a size are read to the end', async () => {
  const text = readFileSync('/proc/version');
  expect(await hashFile('/proc/version')).toEqual({
    ok: true,
    value: {digest: digestOf(text), size: text.length},
  });
});

describe('writing', () => {
  test('replaces a file, creates its directory, and leaves nothing else', async () => {
    const path = folder.at('a', 'b', 'file');
    await writeFileAtomic(path, 'one');
    const inode = statSync(path).ino;
    await writeFileAtomic(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).ino).not.toBe(inode);
    expect(readdirSync(folder.at('a', 'b'))).toEqual(['file']);
  });

  test('over a directory fails, names it, and leaves nothing', async () => {
    mkdirSync(folder.at('file', 'inner'), {recursive: true});
    const result = await writeFileAtomic(folder.at('file'), 'one');
    expect(result).toMatchObject({ok: false, failure: {code: 'IO'}});
    expect(result.ok ? '' : result.failure.message).toContain(`cannot write ${folder.at('file')}`);
    expect(readdirSync(folder.path)).toEqual(['file']);
  });
});

test('a copy is made only of the expected content', async () => {
  writeFileSync(folder.at('from'), 'one');
  const expected = {digest: digestOf('two'), size: 3};
  expect(await copyFileAtomic(folder.at('from'), folder.at('to'), expected, folder.path)).toEqual({
    ok: true,
    value: false,
  });
  expect(readdirSync(folder.path)).toEqual(['from']);
  writeFileSync(folder.at('from'), 'two');
  expect(await copyFileAtomic(folder.at('from'), folder.at('to'), expected, folder.path)).toEqual({
    ok: true,
    value: true,
  });
  expect(readFileSync(folder.at('to'), 'utf8')).toBe('two');
});

test('a file is replaced atomically', async () => {
  writeFileSync(folder.at('from'), 'one');
  expect(await replaceFile(folder.at('from'), folder.at('new', 'to'))).toEqual({ok: true, value: undefined});
  writeFileSync(folder.at('from'), 'two');
  expect(await replaceFile(folder.at('from'), folder.at('new', 'to'))).toMatchObject({ok: true});
  expect(await replaceFile(folder.at('new', 'to'), folder.at('new', 'to'))).toMatchObject({ok: true});
  expect(await replaceFile(folder.at('nowhere'), folder.at('new', 'to'))).toMatchObject({
    failure: {code: 'IO'},
  });
  expect(readFileSync(folder.at('new', 'to'), 'utf8')).toBe('two');
  expect(readdirSync(folder.at('new'))).toEqual(['to']);
});

// Shared memory is a file system of its own on any Linux.
test.each([
  ['here', () => folder.path],
  ['to another file system', () => mkdtempSync('/dev/shm/flashfreeze-')],
])('a file is moved %s', async (_, target) => {
  const place = target();
  try {
    writeFileSync(folder.at('from'), 'one');
    expect(await moveFile(folder.at('from'), join(place, 'to'))).toEqual({ok: true, value: undefined});
    expect(await moveFile(join(place, 'to'), join(place, 'to'))).toMatchObject({ok: true});
    expect(readFileSync(join(place, 'to'), 'utf8')).toBe('one');
    expect(existsSync(folder.at('from'))).toBe(false);
    expect(await moveFile(folder.at('from'), join(place, 'to'))).toMatchObject({failure: {code: 'IO'}});
    expect(readdirSync(place)).toEqual(['to']);
  } finally {
    rmSync(place, {recursive: true, force: true});
  }
});
