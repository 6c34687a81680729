import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect} from '@jest/globals';
import {JOURNAL} from '../../../src/engine/records/journal.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {makeToy, type Toy} from './toys.js';

/** Each test of a file that imports this has a toy of three sources in a directory of its own. */
export let folder: string;
export let toy: Toy;
beforeEach(async () => {
  folder = temporaryDirectory();
  toy = await makeToy(folder, {a: 'A1\n', b: 'B1\n', c: 'C1\n'});
});

export const ALL = ['cc:a', 'cc:b', 'cc:c', 'link:program'];
export const source = (name: string): string => join(toy.sourceDir, name);
export const output = (name: string): string => join(toy.buildDir, name);

/** Nothing but outputs and the engine's own files is in the build directory. */
export function expectNoLeftovers(): void {
  const own = [JOURNAL, 'sources.json', 'last-run.json', 'lock'];
  const outputs = ['a.o', 'b.o', 'c.o', 'program'];
  expect(readdirSync(toy.buildDir).filter((name) => ![...own, ...outputs].includes(name))).toEqual([]);
}
