import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';

test('the reference in docs/bazel.md is up to date', () => {
  const script = join(import.meta.dirname, '..', '..', '..', 'rules', 'docs.py');
  const done = spawnSync('python3', ['-B', script, '--check'], {encoding: 'utf8'});
  expect(done).toMatchObject({status: 0, stderr: ''});
});
