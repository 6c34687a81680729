/** One case in both interpreters of a pair: what it observes is equal, but for the known differences. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from '@jest/globals';
import {differences, observationsOf} from './differ.js';
import {type Pair, runOf} from './frozen.js';

const FOLDER = join(import.meta.dirname, 'cases');

/** The names of the cases that need no input. */
export const CASES: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.py'))
  .map((file) => file.slice(0, -'.py'.length))
  .filter((name) => name !== 'observe' && name !== 'probe');

/** How often each case tells of something, at the least: one that breaks off early proves nothing. */
const MANY = 10;

/** @param input what the case reads: `probe`, the modules to ask about */
export async function compareCase(pair: Pair, name: string, input = ''): Promise<void> {
  const script = join(FOLDER, `${name}.py`);
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
