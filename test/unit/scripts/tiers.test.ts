/** Which test files run when (test/tiers.mjs). */
import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {expect, test} from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../../..');

interface Part {
  readonly name: string;
  readonly tier: 'quick' | 'full';
  readonly files: readonly string[];
  readonly takesUnnamed?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}
const {PARTS} = (await import(join(ROOT, 'test/tiers.mjs'))) as {PARTS: readonly Part[]};
const {assignFiles, listTestFiles} = (await import(join(ROOT, 'scripts/testing/select.mjs'))) as {
  assignFiles: (parts: readonly Part[], all: readonly string[]) => readonly Part[];
  listTestFiles: (root: string) => readonly string[];
};

test('what a part names is there', () => {
  const named = PARTS.flatMap(({files}) => files);
  expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
});

test('each test file runs once, or in parts that divide it by a variable', () => {
  const all = listTestFiles(ROOT);
  expect(all).toContain('test/unit/scripts/tiers.test.ts');
  const parts = assignFiles(PARTS, all);
  for (const file of all) {
    const its = parts.filter(({files}) => files.includes(file));
    const variables = its.map(({environment = {}}) => JSON.stringify(environment));
    expect([file, its.length]).toEqual([file, new Set(variables).size]);
    if (its.length > 1) expect(variables).not.toContain('{}');
  }
});

test('a test file that no part names runs in the full tier', () => {
  const parts = assignFiles(PARTS, ['test/e2e/nobody-knows.test.ts', 'test/unit/new.test.ts']);
  const named = parts.filter(({files}) => files.length > 0);
  expect(named.map(({tier, files}) => [tier, files])).toEqual([
    ['quick', ['test/unit/new.test.ts']],
    ['full', ['test/e2e/nobody-knows.test.ts']],
  ]);
});
