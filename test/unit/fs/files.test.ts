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
import {beforeEach, describe, expect, test} from '@jest/globals';
import {
  copyFileAtomic,
  hashFile,
  ioFailure,
  moveFile,
  replaceFile,
  writeFileAtomic,
} from '../../../src/fs/files.js';
import {digestOf} from '../../../src/model/digest.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

test.each<[string, string, object?]>([
  ['ENOSPC', 'no room left on the disk', {hint: 'make room there, or choose another place'}],
  ['EACCES', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
])('%s becomes a message that names the path', (code, words, more = {}) => {
  const error = Object.assign(new Error('raw'), {code});
  expect(ioFailure('write', '/a/b', error)).toEqual({
    ...{code: 'IO', message: `cannot write /a/b: ${words}`},
    ...more,
  });
});

test.each([0, 1, 1 << 20, (1 << 20) - 1, (1 << 20) + 1, 3 << 20])(
  'a file of %d bytes has its digest',
  async (size) => {
    const content = Buffer.alloc(size, 'abc');
    writeFileSync(join(folder, 'file'), content);
    expect(await hashFile(join(folder, 'file'))).toEqual({
      ok: true,
      value: {digest: digestOf(content), size},
    });
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
    const path = join(folder, 'a', 'b', 'file');
    await writeFileAtomic(path, 'one');
    const inode = statSync(path).ino;
    await writeFileAtomic(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).ino).not.toBe(inode);
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['file']);
  });

  test('over a directory fails, names it, and leaves nothing', async () => {
    mkdirSync(join(folder, 'file', 'inner'), {recursive: true});
    const result = await writeFileAtomic(join(folder, 'file'), 'one');
    expect(result).toMatchObject({ok: false, failure: {code: 'IO'}});
    expect(result.ok ? '' : result.failure.message).toContain(`cannot write ${join(folder, 'file')}`);
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

test('a copy is made only of the expected content', async () => {
  writeFileSync(join(folder, 'from'), 'one');
  const expected = {digest: digestOf('two'), size: 3};
  expect(await copyFileAtomic(join(folder, 'from'), join(folder, 'to'), expected, folder)).toEqual({
    ok: true,
    value: false,
  });
  expect(readdirSync(folder)).toEqual(['from']);
  writeFileSync(join(folder, 'from'), 'two');
  expect(await copyFileAtomic(join(folder, 'from'), join(folder, 'to'), expected, folder)).toEqual({
    ok: true,
    value: true,
  });
  expect(readFileSync(join(folder, 'to'), 'utf8')).toBe('two');
});

test('a file is replaced atomically', async () => {
  writeFileSync(join(folder, 'from'), 'one');
  expect(await replaceFile(join(folder, 'from'), join(folder, 'new', 'to'))).toEqual({
    ok: true,
    value: undefined,
  });
  writeFileSync(join(folder, 'from'), 'two');
  expect(await replaceFile(join(folder, 'from'), join(folder, 'new', 'to'))).toMatchObject({ok: true});
  expect(await replaceFile(join(folder, 'new', 'to'), join(folder, 'new', 'to'))).toMatchObject({ok: true});
  expect(await replaceFile(join(folder, 'nowhere'), join(folder, 'new', 'to'))).toMatchObject({
    failure: {code: 'IO'},
  });
  expect(readFileSync(join(folder, 'new', 'to'), 'utf8')).toBe('two');
  expect(readdirSync(join(folder, 'new'))).toEqual(['to']);
});

// Shared memory is a file system of its own on any Linux.
test.each([
  ['here', () => folder],
  ['to another file system', () => mkdtempSync('/dev/shm/flashfreeze-')],
])('a file is moved %s', async (_, target) => {
  const place = target();
  try {
    writeFileSync(join(folder, 'from'), 'one');
    expect(await moveFile(join(folder, 'from'), join(place, 'to'))).toEqual({ok: true, value: undefined});
    expect(await moveFile(join(place, 'to'), join(place, 'to'))).toMatchObject({ok: true});
    expect(readFileSync(join(place, 'to'), 'utf8')).toBe('one');
    expect(existsSync(join(folder, 'from'))).toBe(false);
    expect(await moveFile(join(folder, 'from'), join(place, 'to'))).toMatchObject({failure: {code: 'IO'}});
    expect(readdirSync(place)).toEqual(['to']);
  } finally {
    rmSync(place, {recursive: true, force: true});
  }
});
