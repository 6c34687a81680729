/** The remote cache over gRPC with a real buildbox-casd: what its own services make of our calls. */
import {chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, jest, test} from '@jest/globals';
import {digestOf} from '../../src/model/digest.js';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson} from '../../support/rig.js';
import {buildboxRoot, startCasd, type Casd} from '../support/buildbox.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith, testWith} from '../support/with.js';
import {buildOn, keyFrom, machine, type Machine} from '../unit/cache/remote/rig.js';
import {actualOutputs, compiled, expectedOutputs} from '../unit/engine/toys.js';

jest.setTimeout(5 * 60_000);

const root = await buildboxRoot(); // says why, where it cannot be had
const [python] = findPythons().slice(-1);
let folder: string;
let maker: Machine;
let taker: Machine;
let casd: Casd;
beforeEach(async () => {
  if (root === undefined) return;
  folder = temporaryDirectory();
  maker = await machine(folder, 'maker');
  taker = await machine(folder, 'taker');
  casd = await startCasd(root);
});
afterEach(async () => {
  if (root === undefined) return;
  await casd.stop();
  rmSync(join(casd.store, '..'), {recursive: true, force: true});
});

const NONE = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};
const SECRET = 'a secret of the team, long enough for all';

/** The file in which it keeps a content. */
function fileOf(digest: string): string {
  const objects = join(casd.store, 'cas', 'objects');
  const names = readdirSync(objects, {recursive: true, encoding: 'utf8'});
  const name = names.find((each) => each.replaceAll('/', '').startsWith(digest));
  if (name === undefined) throw new Error(`${digest} is not in ${objects}`);
  return join(objects, name);
}

describeWith(root, 'buildbox')('buildbox-casd', () => {
  test('one machine uploads results, and another one uses them', async () => {
    const signingKey = keyFrom(SECRET);
    const made = await buildOn(maker, {url: casd.url, upload: true, signingKey});
    expect([made.counts, made.warnings]).toEqual([{...NONE, executed: 4}, []]);
    const taken = await buildOn(taker, {url: casd.url, signingKey});
    expect([taken.counts, taken.warnings]).toEqual([{...NONE, remote: 4}, []]);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));

    const one = await machine(folder, 'again');
    const again = await buildOn(one, {url: casd.url, upload: true, signingKey}, {force: true});
    expect([again.counts, again.warnings]).toEqual([{...NONE, executed: 4}, []]);
  });

  test('streams large files', async () => {
    for (const {toy} of [maker, taker]) writeFileSync(join(toy.sourceDir, 'a'), 'x\n'.repeat(4_000_000));
    const made = await buildOn(maker, {url: casd.url, upload: true});
    expect([made.counts, made.warnings]).toEqual([{...NONE, executed: 4}, []]);
    const taken = await buildOn(taker, {url: casd.url});
    expect([taken.counts, taken.warnings]).toEqual([{...NONE, remote: 4}, []]);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });

  test('an instance that it does not have is a cache that is not used', async () => {
    const made = await buildOn(maker, {url: `${casd.url}/no/such`, upload: true});
    expect(made.counts).toEqual({...NONE, executed: 4});
    expect(made.warnings.length).toBeGreaterThan(0);
    expect(actualOutputs(maker.toy)).toEqual(expectedOutputs(maker.toy));
  });

  test.each<[string, (path: string) => void]>([
    [
      'other bytes',
      (path) => {
        chmodSync(path, 0o644);
        writeFileSync(path, 'x'.repeat(statSync(path).size));
      },
    ],
    [
      'been removed',
      (path) => {
        rmSync(path);
      },
    ],
  ])('a file that has %s is built again', async (_, damage) => {
    await buildOn(maker, {url: casd.url, upload: true});
    damage(fileOf(digestOf(compiled('B1\n'))));
    const taken = await buildOn(taker, {url: casd.url});
    expect(taken.result.ok).toBe(true);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
    expect(taken.executed).toEqual(['cc:b']);
  });

  test('that is stopped in the middle of a build does not delay it; the next run uses what it left', async () => {
    await buildOn(maker, {url: casd.url, upload: true});
    let stopped: Promise<void> | undefined;
    const built = await buildOn(taker, {url: casd.url}, {}, (spec) => {
      if (spec.id === 'cc:c') stopped ??= casd.stop();
      return spec;
    });
    await stopped;
    expect(built.result.ok).toBe(true);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
    casd = await startCasd(root ?? '', {store: casd.store});
    const next = await buildOn(await machine(folder, 'next'), {url: casd.url});
    expect([next.counts, next.warnings]).toEqual([{...NONE, remote: 4}, []]);
  });
});

testWith(root !== undefined && python !== undefined, 'buildbox with a Python')(
  'a real build: what one run makes and uploads, the next one takes, and ends when it is done',
  async () => {
    const relink = (name: string, ...words: string[]): ReturnType<typeof flashfreezeJson> =>
      flashfreezeJson(
        [
          ...['relink', '--python', python?.python ?? '', '--module', 'json', '--remote-cache', casd.url],
          ...['--out', join(folder, name, 'python'), '--build-dir', join(folder, name, 'build')],
          ...['--cache-dir', join(folder, name, 'cache'), ...words],
        ],
        {environment: {FLASHFREEZE_CACHE_KEY: SECRET}},
      );
    const made = await relink('one', '--remote-upload');
    expect([made.exitCode, made.stderr]).toEqual([0, expect.not.stringContaining('warning:')]);
    const taken = await relink('two');
    expect([taken.exitCode, taken.stderr]).toEqual([0, expect.not.stringContaining('warning:')]);
    expect(taken.summary.executed.filter((id) => /^(compile|generate|cc):/.test(id))).toEqual([]);
    const [one, two] = ['one', 'two'].map((name) => readFileSync(join(folder, name, 'python')));
    expect(two?.equals(one ?? Buffer.of())).toBe(true);
  },
);
