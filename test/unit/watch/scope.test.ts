import {describe, expect, test} from '@jest/globals';
import {mayAffectImports, scopeOf} from '../../../src/watch/scope.js';

const SOURCES = [
  '/lib/os.py',
  '/lib/json/__init__.py',
  '/lib/json/decoder.py',
  '/app/pk/__init__.py',
  '/app/bin/program',
  '/app/build/gen.py',
];
const scope = scopeOf(SOURCES, ['/app/build', '/app/python.py']);

describe('the scope of a watch', () => {
  test('has directories of sources and of packages, and not outputs', () => {
    expect([...scope.folders].sort()).toEqual(['/app', '/app/bin', '/app/pk', '/lib', '/lib/json']);
    expect([...scope.sources]).toEqual(SOURCES.slice(0, -1));
  });

  test.each<[string, 'file' | 'folder', boolean]>([
    ['/lib/os.py', 'file', true],
    ['/app/größe.py', 'file', true],
    ['/lib/os.pyc', 'file', false],
    ['/app/.#main.py', 'file', false],
    ['/app/notes.txt', 'file', false],
    ['/app/bin/program', 'file', true],
    ['/app/bin/other', 'file', false],
    ['/app/build/gen.py', 'file', false],
    ['/app/python.py', 'file', false],
    ['/app/builder.py', 'file', true],
    ['/app/build', 'folder', false],
    ['/app/new_package', 'folder', true],
    ['/app/größe', 'folder', true],
    ['/app/__pycache__', 'folder', false],
    ['/app/.git', 'folder', false],
    ['/app/x-y', 'folder', true],
    ['/app/3d', 'folder', true],
  ])('%s, a %s: %s', (path, kind, expected) => {
    expect(scope.isRelevant(path, kind)).toBe(expected);
  });

  test('new files are those that no module is frozen from', () => {
    expect(
      ['/lib/os.py', '/app/pk/__init__.py', '/app/pk'].filter((path) => mayAffectImports(path, scope)),
    ).toEqual([]);
    expect(['/lib/new.py', '/app/other'].filter((path) => mayAffectImports(path, scope))).toHaveLength(2);
  });
});

test('of a directory that is listed, every name matters but hidden ones, bytecode and outputs', () => {
  const {folders, sources, files, isRelevant} = scopeOf(['/app/main.py'], ['/plugins/out'], {
    files: ['/data/text', '/app/main.py'],
    listed: ['/plugins'],
  });
  expect([...folders].sort()).toEqual(['/app', '/data', '/plugins']);
  expect([...sources]).toEqual(['/app/main.py']);
  expect([...files]).toEqual(['/data/text']);
  expect(isRelevant('/plugins/a.conf', 'file')).toBe(true);
  expect(isRelevant('/plugins/x.d', 'folder')).toBe(true);
  expect(isRelevant('/data/text', 'file')).toBe(true);
  for (const name of ['.hidden', '__pycache__', 'out', 'x.d/deep.conf']) {
    expect(isRelevant(`/plugins/${name}`, 'file')).toBe(false);
  }
  expect(isRelevant('/data/other', 'file')).toBe(false);
});
