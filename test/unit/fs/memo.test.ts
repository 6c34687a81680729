import {
  chmodSync,
  chownSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {z} from 'zod';
import {memoize} from '../../../src/fs/memo.js';
import {failure} from '../../../src/model/failure.js';
import {err, ok, type Result} from '../../../src/model/result.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const folder = temporaryDirectory();
const watched = join(folder, 'watched');

/** Makes it a file that is old enough for its stamp to be relied on. */
function lead(to: string): void {
  rmSync(watched, {force: true});
  symlinkSync(to, watched);
}

function asker(name: string) {
  let asked = 0;
  return async (question: string, files: readonly string[] | undefined): Promise<Result<number>> =>
    memoize(join(folder, 'memos', name), question, z.number(), () => {
      asked += 1;
      return Promise.resolve(ok({answer: asked, files}));
    });
}

test('asks once, until the question or a file changes', async () => {
  const ask = asker('once.json');
  lead(process.execPath);
  expect(await ask('?', [watched])).toEqual(ok(1));
  expect(await ask('?', [watched])).toEqual(ok(1));
  expect(await ask('other?', [watched])).toEqual(ok(2));
  expect(await ask('other?', [watched])).toEqual(ok(2));
  lead('/bin/sh');
  expect(await ask('other?', [watched])).toEqual(ok(3));
  expect(await ask('other?', [watched])).toEqual(ok(3));
});

test('keeps no answer that must not be kept, or whose files are missing or brand new', async () => {
  const ask = asker('never.json');
  for (const files of [undefined, [join(folder, 'gone')]]) {
    const [first, second] = [await ask('?', files), await ask('?', files)];
    expect(second).not.toEqual(first);
  }
  rmSync(watched, {force: true});
  writeFileSync(watched, 'new');
  const [first, second] = [await ask('?', [watched]), await ask('?', [watched])];
  expect(second).not.toEqual(first);
});

test('fails as the question does, and ignores an invalid memo', async () => {
  const file = join(folder, 'nonsense.json');
  writeFileSync(file, '{"question": "?", "answer": "no number", "files": [], "stamps": []}');
  const bad = err(failure('PYTHON', 'no'));
  expect(await memoize(file, '?', z.number(), () => Promise.resolve(bad))).toEqual(bad);
});

test('replaces a memo as a whole: who has opened the old one reads the old one', async () => {
  const ask = asker('replaced.json');
  const [file, opened] = [join(folder, 'memos', 'replaced.json'), join(folder, 'opened.json')];
  lead(process.execPath);
  await ask('?', [watched]);
  linkSync(file, opened);
  const before = readFileSync(file, 'utf8');
  await ask('other?', [watched]);
  expect(readFileSync(opened, 'utf8')).toBe(before);
  expect(readFileSync(file, 'utf8')).toContain('other?');
  expect(readdirSync(join(folder, 'memos')).filter((name) => name.includes('.new-'))).toEqual([]);
});

test('answers where no memo can be written', async () => {
  const blocked = join(folder, 'blocked');
  writeFileSync(blocked, '');
  lead(process.execPath);
  const compute = () => Promise.resolve(ok({answer: 1, files: [watched]}));
  expect(await memoize(join(blocked, 'memo.json'), '?', z.number(), compute)).toEqual(ok(1));
});

const isRoot = process.getuid?.() === 0;
test.each<[string, (file: string) => void]>([
  [
    'everybody may write to',
    (file) => {
      chmodSync(file, 0o666);
    },
  ],
  [
    'is a link',
    (file) => {
      linkSync(file, `${file}.real`);
      rmSync(file);
      symlinkSync(`${file}.real`, file);
    },
  ],
  ...(isRoot
    ? [
        [
          'another user wrote',
          (file: string) => {
            chownSync(file, 64_001, 64_001);
          },
        ] as [string, (file: string) => void],
      ]
    : []),
])('asks again in place of a memo that %s', async (name, change) => {
  const ask = asker(name);
  lead(process.execPath);
  expect(await ask('?', [watched])).toEqual(ok(1));
  change(join(folder, 'memos', name));
  expect(await ask('?', [watched])).toEqual(ok(2));
  expect(await ask('?', [watched])).toEqual(ok(2));
});
