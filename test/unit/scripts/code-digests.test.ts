import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');

/** Prints the digests with a source edited, for each of the edits. The script is plain JavaScript, which runs in a Node of its own. */
const RUNNER = `
import {readFileSync} from 'node:fs';
import {codeDigests} from './scripts/code-digests.mjs';
const digests = [];
for (const [name, added] of JSON.parse(process.argv[1])) {
  const setup = ({onLoad}) => {
    onLoad({filter: /\\.ts$/}, ({path}) => {
      const text = readFileSync(path, 'utf8');
      return {contents: path.endsWith('/src/' + name) ? text + added : text, loader: 'ts'};
    });
  };
  digests.push(await codeDigests({plugin: {name: 'edited', setup}}));
}
console.log(JSON.stringify(digests));`;

const CODE = "\nconsole.log('edited');\n";
const GENERATOR = 'codegen/tables/index-table.ts';
const READERS = [
  'pipeline/modules/selection.ts',
  'pipeline/prepared/source-snippets.ts',
  'cpython/interpreter/target.ts',
  'cpython/interpreter/modules/program-trace.ts',
  'cpython/build/compiler.ts',
  // What these import.
  'model/shell-words.ts',
];
const LINKING = ['hosts/link/prelink.ts', 'hosts/link/image-check.ts'];
const EDITS = [
  ['', ''],
  [GENERATOR, CODE],
  [GENERATOR, '\n// A comment.\n'],
  ['report/wording.ts', CODE],
  ...READERS.map((name) => [name, CODE]),
  ...LINKING.map((name) => [name, CODE]),
];

interface Digests {
  readonly FLASHFREEZE_GENERATOR: string;
  readonly FLASHFREEZE_READERS: string;
  readonly FLASHFREEZE_LINKING: string;
}

const printed = execFileSync(process.execPath, ['--input-type=module', '-e', RUNNER, JSON.stringify(EDITS)], {
  cwd: ROOT,
  encoding: 'utf8',
});
const [before, edited, commented, reporter, ...others] = JSON.parse(printed) as readonly Digests[];

test('an edit of the generator is another generator, a comment is not', () => {
  expect(edited?.FLASHFREEZE_GENERATOR).not.toBe(before?.FLASHFREEZE_GENERATOR);
  expect(commented).toEqual(before);
});

test.each(READERS)('an edit of %s is another reader of answers, and the same generator', (name) => {
  const found = others[READERS.indexOf(name)];
  expect(found?.FLASHFREEZE_READERS).not.toBe(before?.FLASHFREEZE_READERS);
  expect(found?.FLASHFREEZE_GENERATOR).toBe(before?.FLASHFREEZE_GENERATOR);
});

test.each(LINKING)('after an edit of %s, interpreters are linked and checked again', (name) => {
  const found = others[READERS.length + LINKING.indexOf(name)];
  expect(found?.FLASHFREEZE_LINKING).not.toBe(before?.FLASHFREEZE_LINKING);
  expect(found?.FLASHFREEZE_GENERATOR).toBe(before?.FLASHFREEZE_GENERATOR);
});

test('an edit of what only reports changes none', () => {
  expect(reporter).toEqual(before);
});
