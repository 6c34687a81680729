import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {checkNode, examineMachine} from '../../../src/inspect/diagnosis.js';
import {differenceFailure} from '../../../src/inspect/verification.js';
import type {HostContext} from '../../../src/pipeline/build-options.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

test.each([
  ['20.19.0', '20.19', true],
  ['20.18.3', '20.19', false],
  ['18.20.8', '20.19', false],
  ['22.0.0', '20.19', true],
  ['24.21.0', '20.19', true],
])('Node.js %s, where %s is needed: %s', (version, required, isUsable) => {
  const check = checkNode(version, required);
  expect(check.found).toBe(isUsable ? version : undefined);
  expect(check.hint === undefined).toBe(isUsable);
});

/** What a machine is found to have that has these programs, and this cache. */
async function foundWith(
  programs: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string | undefined>> {
  const directory = temporaryDirectory('diagnosis');
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(bin, name), text, {mode: 0o755});
  const context = {
    userEnvironment: {PATH: bin},
    cacheDir: join(directory, 'cache'),
    signal: new AbortController().signal,
  } as unknown as HostContext;
  const checks = await examineMachine(context);
  return new Map(checks.map(({name, found}) => [name, found]));
}

test('what a build needs is found with its version, or its path where it says none', async () => {
  const found = await foundWith({
    gcc: '#!/bin/sh\necho "gcc 12.2"\necho more\n',
    make: '#!/bin/sh\necho "GNU make 4.3" >&2\n',
    valgrind: '#!/bin/sh\nexit 1\n',
  });
  expect(found.get('C compiler')).toBe('gcc 12.2');
  expect(found.get('make')).toBe('GNU make 4.3');
  expect(found.get('valgrind')).toMatch(/\/bin\/valgrind$/);
  expect(found.get('hyperfine')).toBeUndefined();
  expect(found.get('CPython')).toMatch(/^3\.10, .*3\.14/);
  expect(found.get('cache')).toMatch(/\/cache, 0\.0 MB$/);
});

test('a machine without a compiler and make is found out', async () => {
  const found = await foundWith({});
  expect([found.get('C compiler'), found.get('make')]).toEqual([undefined, undefined]);
});

test('a verification fails for modules, however many differences each has', () => {
  const difference = {module: 'json', where: 'loads', field: 'co_code', detail: '', seed: '0'};
  const report = {python: '3.13.15', modules: 3, expressions: 0, snippets: 0};
  expect(differenceFailure({...report, differences: []})).toBeUndefined();
  expect(differenceFailure({...report, differences: [difference, {...difference, seed: '1'}]})).toMatchObject(
    {
      code: 'VERIFY',
      message: '1 of 3 images differ from a fresh compile',
    },
  );
});
