/** What Bazel 7, which the tests run, still has, and Bazel 8 or 9 refuses, so far as the tests can set no flag for it. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';

const FOLDERS = ['rules', join('examples', 'bazel-workspace')];
const PACKAGE = join(import.meta.dirname, '..', '..', '..');

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(PACKAGE, folder), {recursive: true, encoding: 'utf8'})
    .filter((name) => /\.bzl$|BUILD\.bazel$/.test(name))
    .map((name) => join(folder, name)),
);

test('there are files', () => {
  expect(files.length).toBeGreaterThan(10);
});

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(PACKAGE, file), 'utf8');
  test.each([
    ['names of repositories by their old fields', /label\.workspace_name|repository_name\(\)|\.relative\(/i],
    ['rules of languages without load', /^(?:native\.)?(?:py|cc|java|sh|proto)_\w+\(/m],
    ['providers that Bazel had itself', /\b(?:PyRuntimeInfo|CcInfo|JavaInfo)\b/],
    ['outputs of a rule by the old parameter', /\brule\([^)]*\boutputs\s*=/],
  ])('does without: %s', (_, old) => {
    expect(text).not.toMatch(old);
  });
});
