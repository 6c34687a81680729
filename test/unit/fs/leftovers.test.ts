import {spawnSync} from 'node:child_process';
import {chownSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {removeLeftovers} from '../../../src/fs/leftovers.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {testWith} from '../../support/with.js';

const unique = 'ab'.repeat(12);
/** Of a process that has ended. */
const ended = spawnSync('true').pid;
let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});
const put = (name: string): void => {
  writeFileSync(join(folder, name), '');
};

test('what a process left that was killed is removed: files, links, and directories in which programs wrote', async () => {
  put(`.new-${ended}-${unique}`);
  mkdirSync(join(folder, `.new-${ended}-${'cd'.repeat(12)}`));
  put(`.new-${ended}-${'cd'.repeat(12)}/python`);
  symlinkSync('/etc', join(folder, `.new-${ended}-${'ef'.repeat(12)}`));
  await removeLeftovers([folder, join(folder, 'missing')]);
  expect(readdirSync(folder)).toEqual([]);
});

test('what is younger than it has to be stays', async () => {
  put(`.new-${ended}-${unique}`);
  await removeLeftovers([folder], 600_000);
  expect(readdirSync(folder)).toHaveLength(1);
  utimesSync(join(folder, `.new-${ended}-${unique}`), 1, 1);
  await removeLeftovers([folder], 600_000);
  expect(readdirSync(folder)).toEqual([]);
});

test('what another process writes stays, and so do other names and directories of others', async () => {
  const deep = `.new-${ended}-${unique}`;
  const names = [
    `.new-${process.pid}-${unique}`,
    `.new-${ended}`,
    '.new-',
    `.new-x-${unique}`,
    `.new-${ended}-${unique}.txt`,
  ];
  names.forEach(put);
  mkdirSync(join(folder, deep, 'below'), {recursive: true});
  writeFileSync(join(folder, deep, 'below', 'letter'), 'dear');
  await removeLeftovers([folder]);
  expect(readdirSync(folder).sort()).toEqual([...names, deep].sort());
  expect(readdirSync(join(folder, deep, 'below'))).toEqual(['letter']);
});

testWith(process.getuid?.() === 0, 'the right to be several users')(
  'what belongs to another user stays',
  async () => {
    const name = `.new-${ended}-${unique}`;
    put(name);
    chownSync(join(folder, name), 64_001, 64_001);
    await removeLeftovers([folder]);
    expect(readdirSync(folder)).toEqual([name]);
  },
);
