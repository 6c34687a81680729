/**
 * Imports that nobody can tell apart: each case observes imports in the unmodified interpreter and in the frozen one, and
 * what it sees is equal. `probe` asks everything that can be asked of each frozen module.
 *
 *     FLASHFREEZE_FIDELITY=all npm test -- test/fidelity
 */
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {differences, observationsOf} from './differ.js';
import {type Pair, candidates, frozenModules, preparePair, runOf} from './frozen.js';

const CASES = join(import.meta.dirname, 'cases');
const HALF_AN_HOUR = 30 * 60_000;
const names = readdirSync(CASES)
  .filter((file) => file.endsWith('.py'))
  .map((file) => file.slice(0, -'.py'.length))
  .filter((name) => name !== 'observe' && name !== 'probe');

/** How often each case tells of something, at the least: one that breaks off early proves nothing. */
const MANY = 10;

async function compare(pair: Pair, name: string, input = ''): Promise<void> {
  const script = join(CASES, `${name}.py`);
  const run = async (file: string, environment: Record<string, string> = {}) =>
    observationsOf(await runOf(pair, file, [script], {input, environment}), file);
  const unmodified = await run(pair.unmodified);
  expect(unmodified.at(-1)).toEqual({what: 'exit code', value: 0});
  expect(unmodified.length).toBeGreaterThan(MANY);
  // As a build leaves it, where stamps tell whether a source is the one that was frozen; and without that check.
  for (const environment of [{}, {FLASHFREEZE: 'on'}]) {
    expect(differences({host: pair.host, name}, unmodified, await run(pair.frozen, environment))).toEqual([]);
  }
}

describe.each(candidates().map((each) => [each.name, each] as const))('%s', (_, candidate) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await preparePair(candidate);
  }, HALF_AN_HOUR);

  test.each(names)('%s', (name) => compare(pair, name), HALF_AN_HOUR);

  test(
    'everything about every frozen module',
    async () => {
      const modules = await frozenModules(pair);
      expect(modules.length).toBeGreaterThan(600);
      await compare(pair, 'probe', modules.join(' '));
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
