import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';

const PACKAGE = join(import.meta.dirname, '..', '..', '..');
const read = (...names: string[]): string => readFileSync(join(PACKAGE, ...names), 'utf8');

test('Bazel’s module has the version of the package, wherever it is named', () => {
  const {version} = JSON.parse(read('package.json')) as {version: string};
  const lock = JSON.parse(read('package-lock.json')) as {version: string};
  expect(lock.version).toBe(version);
  expect(/module\(\s*name = "flashfreeze",\s*version = "([^"]*)"/.exec(read('MODULE.bazel'))?.[1]).toBe(
    version,
  );
  const pages = [
    ['examples', 'bazel-workspace', 'MODULE.bazel'],
    ['docs', 'bazel.md'],
  ];
  const named = pages.flatMap((names) => [
    ...read(...names).matchAll(/bazel_dep\(name = "flashfreeze"(?:, version = "([^"]*)")?\)/g),
  ]);
  expect(named.length).toBeGreaterThan(0);
  for (const [, other = version] of named) expect(other).toBe(version);
});
