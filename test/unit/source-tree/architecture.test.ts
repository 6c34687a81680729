import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';

test('docs/architecture.md describes every directory of src/, with the imports that ESLint allows', () => {
  const script = join(import.meta.dirname, '../../../scripts/architecture.mjs');
  const done = spawnSync(process.execPath, [script], {encoding: 'utf8'});
  expect(done).toMatchObject({status: 0, stderr: ''});
});
