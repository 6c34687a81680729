import {chmodSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {foldersOf, listingDigest, mayBeSource} from '../../../../src/pipeline/modules/source-folders.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

test('sources come and go in their directories, packages also in the directory that holds them', () => {
  expect([
    ...foldersOf(['/lib/os.py', '/lib/json/__init__.py', '/lib/json/decoder.py', '/app/main.py']),
  ]).toEqual(['/lib', '/lib/json', '/app']);
});

test.each<[string, 'file' | 'folder', boolean]>([
  ['os.py', 'file', true],
  ['.hidden.py', 'file', false],
  ['os.pyc', 'file', false],
  ['json', 'folder', true],
  ['prüfung', 'folder', true],
  ['__pycache__', 'folder', false],
  ['with-a-dash', 'folder', true],
  ['3rd', 'folder', true],
  ['.git', 'folder', false],
])('%s, a %s: %s', (name, kind, expected) => {
  expect(mayBeSource(name, kind)).toBe(expected);
});

describe('the digest of what lies in directories', () => {
  test('changes when a source comes or goes, and for nothing else', async () => {
    const directory = temporaryDirectory();
    const digest = (): Promise<string> => listingDigest([directory]);
    writeFileSync(join(directory, 'a.py'), 'one');
    const before = await digest();
    writeFileSync(join(directory, 'a.py'), 'two');
    writeFileSync(join(directory, 'notes.txt'), '');
    mkdirSync(join(directory, '__pycache__'));
    chmodSync(join(directory, 'a.py'), 0o600);
    expect(await digest()).toBe(before);
    mkdirSync(join(directory, 'b'));
    const withPackage = await digest();
    expect(withPackage).not.toBe(before);
    rmSync(join(directory, 'b'), {recursive: true});
    expect(await digest()).toBe(before);
    rmSync(join(directory, 'a.py'));
    expect(await digest()).not.toBe(before);
  });

  test('is the same in whatever order they are named, and of one that is gone as of an empty one', async () => {
    const [one, two] = [temporaryDirectory(), temporaryDirectory()];
    writeFileSync(join(one, 'a.py'), '');
    const digest = await listingDigest([one, two]);
    expect(await listingDigest([two, one])).toBe(digest);
    rmSync(two, {recursive: true});
    expect(await listingDigest([one, two])).toBe(digest);
    expect(await listingDigest([one])).not.toBe(digest);
  });
});
