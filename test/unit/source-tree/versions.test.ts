/** The version of this package stands in several files: they are one, and what publishes the module names what is there. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {PACKAGE} from '../../../support/rig.js';

const read = (name: string): string => readFileSync(join(PACKAGE, name), 'utf8');
const {version} = JSON.parse(read('package.json')) as {version: string};

test.each([
  ['package-lock.json', /^ {2}"version": "([^"]*)"/m],
  ['MODULE.bazel', /^module\(\n {4}name = "flashfreeze",\n {4}version = "([^"]*)"/m],
  ['docs/bazel.md', /bazel_dep\(name = "flashfreeze", version = "([^"]*)"\)/],
  ['examples/bazel-workspace/MODULE.bazel', /bazel_dep\(name = "flashfreeze", version = "([^"]*)"\)/],
  ['test/bazel/python-workspace/MODULE.bazel', /bazel_dep\(name = "flashfreeze", version = "([^"]*)"\)/],
  ['README.md', /\.\/flashfreeze-([\d.]+)\.tgz/],
  ['examples/programmatic-api/run.sh', /flashfreeze-([\d.]+)\.tgz/],
])('%s has the version of package.json', (name, pattern) => {
  expect(pattern.exec(read(name))?.[1]).toBe(version);
});

test('the templates for the registry of modules name the archive of npm pack, and a module in it', () => {
  const source = JSON.parse(read('.bcr/source.template.json')) as Record<string, string>;
  expect(source['url']).toMatch(/\/flashfreeze-\{VERSION\}\.tgz$/);
  expect(source['strip_prefix']).toBe('package');
  const metadata = JSON.parse(read('.bcr/metadata.template.json')) as Record<string, unknown>;
  expect(Object.keys(metadata)).toEqual([
    'homepage',
    'maintainers',
    'repository',
    'versions',
    'yanked_versions',
  ]);
  const tested = /^ {2}module_path: (\S+)$/m.exec(read('.bcr/presubmit.yml'))?.[1] ?? '';
  expect(existsSync(join(PACKAGE, tested, 'MODULE.bazel'))).toBe(true);
  const {files} = JSON.parse(read('package.json')) as {files: readonly string[]};
  expect(files).toContain(tested);
});
