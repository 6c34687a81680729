import {readdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {expect, test} from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Directories of unit tests for what lies outside of src/; `source-tree` is about src/ as a whole. */
const OTHERS = ['bench', 'rules', 'scripts', 'source-tree', 'support'];

/** The directories below a directory that have files of that kind, at any depth. */
function directoriesWith(directory: string, ending: string): Set<string> {
  const files = readdirSync(join(ROOT, directory), {recursive: true, encoding: 'utf8'});
  return new Set(
    files.filter((name) => name.endsWith(ending)).map((name) => name.split('/').slice(0, -1).join('/')),
  );
}

const top = (directory: string): string => directory.split('/', 1)[0] ?? '';

test('unit tests lie in directories that src/ has', () => {
  // src/runtime is C.
  const source = new Set([...directoriesWith('src', '.ts'), ...directoriesWith('src', '.c')]);
  const strays = [...directoriesWith('test/unit', '.test.ts')].filter(
    (directory) => !source.has(directory) && !OTHERS.includes(top(directory)),
  );
  expect(strays).toEqual([]);
});

test('each directory of src/ with TypeScript has unit tests', () => {
  const tested = directoriesWith('test/unit', '.test.ts');
  const source = directoriesWith('src', '.ts');
  expect([...source].filter((directory) => directory !== '' && !tested.has(directory))).toEqual([]);
});
