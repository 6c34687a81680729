/**
 * Imports that nobody can tell apart: each case observes imports in the unmodified interpreter and in the frozen one, and
 * what it sees is equal. `probe` asks everything that can be asked of each frozen module.
 *
 *     FLASHFREEZE_FIDELITY=all npm test -- test/fidelity
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {CASES, compareCase} from './compare-case.js';
import {type Pair, candidates, frozenModules, preparePair, runOf} from './frozen.js';

const HALF_AN_HOUR = 30 * 60_000;

describe.each(candidates().map((each) => [each.name, each] as const))('%s', (_, candidate) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await preparePair(candidate);
  }, HALF_AN_HOUR);

  test.each(CASES)('%s', (name) => compareCase(pair, name), HALF_AN_HOUR);

  test(
    'everything about every frozen module',
    async () => {
      const modules = await frozenModules(pair);
      expect(modules.length).toBeGreaterThan(550);
      await compareCase(pair, 'probe', modules.join(' '));
    },
    HALF_AN_HOUR,
  );

  test('the compared code is static, unless images are disabled', async () => {
    const code =
      'import json.decoder, _flashfreeze; print(_flashfreeze.is_static(json.decoder.JSONDecoder.decode.__code__))';
    const on = await runOf(pair, pair.frozen, ['-c', code]);
    const off = await runOf(pair, pair.frozen, ['-c', code], {environment: {FLASHFREEZE: 'off'}});
    expect([on.stdout, off.stdout]).toEqual(['True\n', 'False\n']);
  });

  // The last one: the next preparation brings back what it edits.
  test('a source that was edited since is noticed, unless the images are trusted', async () => {
    const file = join(pair.packages, 'shadowed.py');
    writeFileSync(file, readFileSync(file, 'utf8').replace('packages', 'edited'));
    const folder = JSON.stringify(pair.packages);
    const code = `import sys; sys.path.insert(0, ${folder}); import shadowed; print(shadowed.where)`;
    const where = async (environment: Record<string, string>): Promise<string> =>
      (await runOf(pair, pair.frozen, ['-c', code], {environment})).stdout.trim();
    expect(await where({})).toBe('edited');
    expect(await where({FLASHFREEZE: 'check'})).toBe('edited');
    expect(await where({FLASHFREEZE: 'on'})).toBe('packages');
    expect(await where({FLASHFREEZE: 'off'})).toBe('edited');
  });
});
