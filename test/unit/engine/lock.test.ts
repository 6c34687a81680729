import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, jest, test} from '@jest/globals';
import {acquireLock, type Lock} from '../../../src/engine/lock.js';
import {ownIdentity} from '../../../src/exec/liveness.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {runScript} from '../../support/scripts.js';
import {ending, eventually} from '../../support/processes.js';

// Processes of their own take their time on a busy machine.
jest.setTimeout(60_000);

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

async function acquired(): Promise<Lock> {
  const lock = await acquireLock(folder);
  if (!lock.ok) throw new Error(lock.failure.message);
  return lock.value;
}

/** Makes it look as if somebody holds the lock. */
function heldBy(holder: object): void {
  mkdirSync(join(folder, 'lock'), {recursive: true});
  writeFileSync(
    join(folder, 'lock', '7'),
    JSON.stringify({...ownIdentity(), since: '2024-05-06T07:08:09Z', ...holder}),
  );
}

describe('a lock', () => {
  test('excludes others until it is released, and names its holder', async () => {
    const lock = await acquired();
    const refused = await acquireLock(folder);
    expect(refused).toMatchObject({ok: false, failure: {code: 'LOCKED'}});
    const message = refused.ok ? '' : refused.failure.message;
    expect(message).toContain(
      `${folder} is in use by process ${process.pid} on ${ownIdentity().host} since 2`,
    );
    await lock.release();
    await (await acquired()).release();
    expect(readdirSync(join(folder, 'lock'))).toEqual(['2']);
  });

  test.each<[string, object]>([
    ['is gone', {pid: 2 ** 30}],
    ['is another process with the same number', {start: '12'}],
    ['lived before the machine started again', {boot: 'earlier'}],
  ])('whose holder %s is taken over', async (_, holder) => {
    heldBy(holder);
    await acquired();
    expect(readdirSync(join(folder, 'lock'))).toEqual(['8']);
  });

  test('that was torn by a crash of the machine is taken over', async () => {
    mkdirSync(join(folder, 'lock'));
    writeFileSync(join(folder, 'lock', '3'), '{"pid":');
    await acquired();
  });

  test('of another machine is respected, with a hint how to remove it', async () => {
    heldBy({host: 'elsewhere', pid: 1});
    expect(await acquireLock(folder)).toEqual({
      ok: false,
      failure: {
        code: 'LOCKED',
        message: `the build directory ${folder} is in use by process 1 on elsewhere since 2024-05-06T07:08:09Z`,
        hint: `if that run has ended, remove ${join(folder, 'lock', '7')}`,
      },
    });
  });

  test('that cannot be created is an IO failure', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await acquireLock(join(folder, 'file'))).toMatchObject({ok: false, failure: {code: 'IO'}});
  });

  test('is granted to one of many that ask at once after the holder died', async () => {
    for (let round = 0; round < 20; round += 1) {
      heldBy({pid: 2 ** 30});
      const results = await Promise.all(Array.from({length: 8}, () => acquireLock(folder)));
      expect(results.filter((result) => result.ok)).toHaveLength(1);
      for (const result of results) if (result.ok) await result.value.release();
    }
  });
});

test('is never held twice, however it changes hands', async () => {
  let inside = 0;
  let clashes = 0;
  const contend = async (): Promise<void> => {
    for (let held = 0; held < 40;) {
      const lock = await acquireLock(folder);
      if (!lock.ok) continue;
      inside += 1;
      if (inside > 1) clashes += 1;
      await new Promise(setImmediate);
      inside -= 1;
      await lock.value.release();
      held += 1;
    }
  };
  await Promise.all(Array.from({length: 12}, contend));
  expect(clashes).toBe(0);
});

describe('processes that share a lock', () => {
  test('release it when they are killed', async () => {
    const holder = `
import {writeFileSync} from 'node:fs';
import {acquireLock} from './engine/lock.js';
const lock = await acquireLock(process.argv[2]);
writeFileSync(process.argv[2] + '/held', String(lock.ok));
setInterval(() => {}, 1000);
`;
    const child = runScript(folder, 'holder', holder, [folder]);
    expect(
      await eventually(
        () => existsSync(join(folder, 'held')) && readFileSync(join(folder, 'held'), 'utf8') === 'true',
      ),
    ).toBe(true);
    const refused = await acquireLock(folder);
    expect(refused.ok ? '' : refused.failure.message).toContain(`process ${child.pid ?? 0} on`);
    child.kill('SIGKILL');
    await ending(child);
    await acquired();
  });

  test('never hold it at the same time, however often they are killed', async () => {
    // Each holds the lock for a moment, marked by a directory that only one can create. Every third dies without a word.
    const contender = `
import {mkdirSync, rmdirSync, appendFileSync, rmSync} from 'node:fs';
import {acquireLock} from './engine/lock.js';
const [dir, dies] = process.argv.slice(2);
for (let held = 0; held < 5;) {
  const lock = await acquireLock(dir);
  if (!lock.ok) { await new Promise((wake) => setTimeout(wake, 1 + Math.random() * 3)); continue; }
  try { mkdirSync(dir + '/inside'); } catch { appendFileSync(dir + '/clashes', 'x'); }
  await new Promise((wake) => setTimeout(wake, 1));
  rmSync(dir + '/inside', {recursive: true, force: true});
  held += 1;
  appendFileSync(dir + '/turns', 'x');
  if (dies === 'dies' && held === 3) process.kill(process.pid, 'SIGKILL');
  await lock.value.release();
}
`;
    const children = Array.from({length: 6}, (_, index) =>
      runScript(folder, 'contender', contender, [folder, index % 3 === 0 ? 'dies' : 'lives']),
    );
    await Promise.all(children.map(ending));
    expect(existsSync(join(folder, 'clashes'))).toBe(false);
    expect(readFileSync(join(folder, 'turns'), 'utf8')).toHaveLength(4 * 5 + 2 * 3);
  });
});
