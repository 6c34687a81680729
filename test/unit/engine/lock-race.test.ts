import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import type {Lock} from '../../../src/engine/lock.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

/** What happens elsewhere between the decision to take the lock and the taking. */
let meanwhile: (() => Promise<void>) | undefined;
const actual = await import('node:fs/promises');
jest.unstable_mockModule('node:fs/promises', () => ({
  ...actual,
  link: async (from: string, to: string) => {
    const act = meanwhile;
    meanwhile = undefined;
    await act?.();
    return actual.link(from, to);
  },
}));
const {acquireLock} = await import('../../../src/engine/lock.js');

async function acquired(buildDir: string): Promise<Lock> {
  const lock = await acquireLock(buildDir);
  if (!lock.ok) throw new Error(lock.failure.message);
  return lock.value;
}

test('a process that decided on outdated information withdraws', async () => {
  const buildDir = temporaryDirectory();
  meanwhile = async () => {
    await (await acquired(buildDir)).release();
    await acquired(buildDir);
  };
  expect(await acquireLock(buildDir)).toMatchObject({ok: false, failure: {code: 'LOCKED'}});
  expect(await readdir(join(buildDir, 'lock'))).toEqual(['2']);
});
