/** A name says one thing, once in the tree: whoever searches for a file by its name finds one. */
import {execFileSync} from 'node:child_process';
import {basename, join} from 'node:path';
import {expect, test} from '@jest/globals';

const PACKAGE = join(import.meta.dirname, '../../..');

/** Groups of files with one name, whatever their suffix, but for a C header beside its source. */
function sharedNames(files: readonly string[]): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const name = basename(file).replace(/\.[a-z]+$/, '');
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  const isHeader = (file: string, others: readonly string[]): boolean =>
    file.endsWith('.h') && others.includes(file.replace(/\.h$/, '.c'));
  return [...groups.values()]
    .map((group) => group.filter((file) => !isHeader(file, group)))
    .filter(({length}) => length > 1);
}

test('files of one name are found; a header has the name of its source', () => {
  expect(sharedNames(['src/a/x.ts', 'src/b/x.py', 'src/b/y.ts', 'src/c/z.c', 'src/c/z.h'])).toEqual([
    ['src/a/x.ts', 'src/b/x.py'],
  ]);
  expect(sharedNames(['src/a/z.c', 'src/b/z.h'])).toHaveLength(1);
});

test('each name stands once in src/', () => {
  const listed = execFileSync('git', ['ls-files', '-z', 'src'], {cwd: PACKAGE, encoding: 'utf8'});
  const files = listed.split('\0').filter((file) => file !== '');
  expect(files.length).toBeGreaterThan(200);
  expect(sharedNames(files)).toEqual([]);
});
