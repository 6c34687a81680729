import {copyFileSync, mkdirSync, realpathSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {expect, test} from '@jest/globals';
import {examineProtection} from '../../../src/inspect/protection.js';
import {findPythons} from '../../../support/pythons.js';
import {hostContext} from '../../support/host-site.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const folder = temporaryDirectory('protection');
const context = hostContext(folder);
const original = realpathSync(findPythons().at(-1)?.python ?? '');

test('a copy of an executable is protected like the original, which is found by the prefix', async () => {
  const copy = join(folder, 'bin', basename(original));
  mkdirSync(join(folder, 'bin'));
  copyFileSync(original, copy);
  const found = await examineProtection(copy, context);
  expect(found.map(({name}) => name)).toEqual(['position-independent', 'RELRO', 'NX', 'run path']);
  for (const protection of found) expect(protection.original).toBe(protection.found);
});

test('the original itself has no other to compare with', async () => {
  const found = await examineProtection(original, context);
  expect(found).toHaveLength(4);
  expect(found.map((protection) => protection.original)).toEqual(Array(4).fill(undefined));
});

test('of a file that is not ELF, nothing is said', async () => {
  const script = join(folder, 'script');
  writeFileSync(script, `#!/bin/sh\nexec ${original} "$@"\n`, {mode: 0o755});
  expect(await examineProtection(script, context)).toEqual([]);
});
