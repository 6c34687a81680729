/** BUILD.bazel has the same C of the runtime for each kind of host as the command line. */
import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {expect, test} from '@jest/globals';
import type {HostKind} from '../../../src/pipeline/host.js';
import {runtimePartsOf} from '../../../src/pipeline/images/index-and-runtime.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const text = readFileSync(join(ROOT, 'BUILD.bazel'), 'utf8');
const foldersIn = (part: string): string[] =>
  [...part.matchAll(/"src\/(runtime[^"]*)\/\*\.c"/g)].map(([, name = '']) => name);

test.each([
  ['linked', 'relink'],
  ['graft', 'graft'],
  ['overlay', 'overlay'],
] satisfies [string, HostKind][])('runtime_%s is that of %s', (name, host) => {
  const shared = foldersIn(/RUNTIME_SHARED = \[[^\]]*\]/.exec(text)?.[0] ?? '');
  const own = foldersIn(new RegExp(`name = "runtime_${name}",\\n.*`).exec(text)?.[0] ?? '');
  const expected = runtimePartsOf(host).map((part) => join('runtime', part));
  expect([...shared, ...own].sort()).toEqual([...expected].sort());
});
