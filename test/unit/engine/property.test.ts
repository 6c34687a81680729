import {chmodSync, existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {JOURNAL} from '../../../src/engine/records/journal.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {actualOutputs, build, expectedOutputs, makeToy, storeIn} from './toys.js';

type Step =
  | {readonly kind: 'edit'; readonly name: string; readonly content: string}
  | {readonly kind: 'edit-keeping-times'; readonly name: string; readonly content: string}
  | {readonly kind: 'delete-output' | 'damage-output' | 'touch'; readonly name: string}
  | {readonly kind: 'damage-store' | 'collect' | 'lose-journal' | 'build' | 'forced-build'};

const NAMES = ['a', 'b', 'c'];
// All of one length, so that sizes tell nothing.
const contents = fc.constantFrom('one\n', 'two\n', 'six\n', '#no\n');
const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({kind: fc.constantFrom('edit' as const, 'edit-keeping-times' as const), name, content: contents}),
  fc.record({
    kind: fc.constantFrom('delete-output' as const, 'damage-output' as const, 'touch' as const),
    name: fc.constantFrom('a', 'b', 'c', 'program'),
  }),
  fc.record({
    kind: fc.constantFrom(
      'damage-store' as const,
      'collect' as const,
      'lose-journal' as const,
      'build' as const,
      'build' as const,
      'forced-build' as const,
    ),
  }),
);

/** Changes one byte of a file and keeps its size. */
function damage(path: string): void {
  if (!existsSync(path)) return;
  chmodSync(path, 0o644);
  const {size} = statSync(path);
  writeFileSync(path, 'x'.repeat(size));
}

test('any sequence of edits, losses and damage, then a build, equals a clean build', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, {minLength: 1, maxLength: 12}), async (steps) => {
      const folder = temporaryDirectory();
      const toy = await makeToy(folder, {a: 'one\n', b: 'one\n', c: 'two\n'});
      const store = await storeIn(join(folder, 'store'));
      for (const each of steps) {
        switch (each.kind) {
          case 'edit':
            writeFileSync(join(toy.sourceDir, each.name), each.content);
            break;
          case 'edit-keeping-times': {
            const path = join(toy.sourceDir, each.name);
            const {atime, mtime} = statSync(path);
            writeFileSync(path, each.content);
            utimesSync(path, atime, mtime);
            break;
          }
          case 'touch':
            if (NAMES.includes(each.name)) utimesSync(join(toy.sourceDir, each.name), 1, 1);
            break;
          case 'delete-output':
            rmSync(join(toy.buildDir, each.name === 'program' ? 'program' : `${each.name}.o`), {
              force: true,
            });
            break;
          case 'damage-output':
            damage(join(toy.buildDir, each.name === 'program' ? 'program' : `${each.name}.o`));
            break;
          case 'damage-store': {
            const files = readdirSync(store.root, {recursive: true, encoding: 'utf8'});
            const [first] = files
              .map((file) => join(store.root, file))
              .filter((file) => statSync(file).isFile());
            if (first !== undefined) damage(first);
            break;
          }
          case 'collect':
            await store.collect({maxBytes: 600, maxAgeDays: 1});
            break;
          case 'lose-journal':
            rmSync(join(toy.buildDir, JOURNAL), {force: true});
            break;
          case 'build':
          case 'forced-build':
            expect((await build(toy, {store, force: each.kind === 'forced-build'})).result.ok).toBe(true);
            break;
        }
      }
      const last = await build(toy, {store});
      expect(last.result.ok).toBe(true);
      expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
      expect((await build(toy, {store})).executed).toEqual([]);
    }),
    {numRuns: 30},
  );
}, 60_000);
