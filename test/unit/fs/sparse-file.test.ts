/** Files with holes. */
import {closeSync, ftruncateSync, openSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {readSparse} from '../../../src/fs/sparse-file.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const folder = temporaryDirectory('sparse-file');

test('a file of more than 2 GiB with holes is read, and takes memory for what it holds', async () => {
  const path = join(folder, 'large');
  const file = openSync(path, 'w');
  const place = 2 ** 31 + 12_345;
  writeSync(file, 'first');
  writeSync(file, 'later', place);
  ftruncateSync(file, place + 4096);
  closeSync(file);
  const before = process.memoryUsage().rss;
  const bytes = await readSparse(path);
  expect(bytes).toHaveLength(place + 4096);
  expect([bytes.toString('latin1', 0, 6), bytes.toString('latin1', place - 1, place + 6)]).toEqual([
    'first\0',
    '\0later\0',
  ]);
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
});
