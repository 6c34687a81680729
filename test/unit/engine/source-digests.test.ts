import {existsSync, mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, jest, test} from '@jest/globals';
import {openSources} from '../../../src/engine/source-digests.js';
import {statFile} from '../../../src/fs/path-state.js';
import {digestOf, type Digest} from '../../../src/model/digest.js';
import {holdTime} from '../../support/fake-time.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {eventually} from '../../support/processes.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
  mkdirSync(join(folder, 'build'));
});

const lie = digestOf('something that no file holds');

/** Replaces the remembered digest of a file by a wrong one, so that it shows whether the memory is used. */
function spoilMemory(): string[] {
  const file = join(folder, 'build', 'sources.json');
  if (!existsSync(file)) return [];
  const memory = JSON.parse(readFileSync(file, 'utf8')) as {files: Record<string, [string, Digest]>};
  for (const entry of Object.values(memory.files)) entry[1] = lie;
  writeFileSync(file, JSON.stringify(memory));
  return Object.keys(memory.files);
}

async function digests(...names: string[]): Promise<Digest[]> {
  const sources = await openSources(join(folder, 'build'));
  const found = await sources.digest(names.map((name) => ({name, path: join(folder, name)})));
  if (!found.ok) throw new Error(found.failure.message);
  expect((await sources.save()).ok).toBe(true);
  return found.value.map(({digest}) => digest);
}

/** Writes a file and waits until its stamp can be relied on. */
async function writeSettled(name: string, content: string): Promise<void> {
  writeFileSync(join(folder, name), content);
  expect(await eventually(() => statFile(join(folder, name))?.settled === true)).toBe(true);
}

describe('the memory of source digests', () => {
  test('is used for files that did not change, and only for those', async () => {
    await writeSettled('a', 'one');
    expect(await digests('a')).toEqual([digestOf('one')]);
    expect(spoilMemory()).toEqual([join(folder, 'a')]);
    expect(await digests('a')).toEqual([lie]);
    writeFileSync(join(folder, 'a'), 'two');
    expect(await digests('a')).toEqual([digestOf('two')]);
  });

  test('notices an edit that keeps size and time', async () => {
    const then = 1_000_000_000;
    writeFileSync(join(folder, 'a'), 'one');
    utimesSync(join(folder, 'a'), then, then);
    expect(await eventually(() => statFile(join(folder, 'a'))?.settled === true)).toBe(true);
    await digests('a');
    expect(spoilMemory()).toEqual([join(folder, 'a')]);
    writeFileSync(join(folder, 'a'), 'two');
    utimesSync(join(folder, 'a'), then, then);
    expect(statSync(join(folder, 'a')).mtimeMs).toBe(then * 1000);
    expect(await digests('a')).toEqual([digestOf('two')]);
  });

  test('notices a file that another was moved over', async () => {
    writeFileSync(join(folder, 'b'), 'two');
    await writeSettled('a', 'one');
    await digests('a', 'b');
    spoilMemory();
    renameSync(join(folder, 'b'), join(folder, 'a'));
    expect(await digests('a')).toEqual([digestOf('two')]);
  });

  test('does not hold files that changed moments ago, or come from the future', async () => {
    holdTime('Date');
    writeFileSync(join(folder, 'young'), 'one');
    jest.setSystemTime(statSync(join(folder, 'young')).ctimeMs + 50);
    expect(await digests('young')).toEqual([digestOf('one')]);
    expect(spoilMemory()).toEqual([]);
    const future = join(folder, 'future');
    writeFileSync(future, 'one');
    const then = Date.now() / 1000 + 3600;
    utimesSync(future, then, then);
    // What is left to distrust is the time of modification.
    jest.setSystemTime(statSync(future).ctimeMs + 10_000);
    await digests('future');
    expect(spoilMemory()).toEqual([]);
  });

  test.each([
    ['torn', '{"schema":1,"files":{"'],
    ['of another version', '{"schema":9}'],
    ['strange', '{"schema":1,"files":{"a":3}}'],
  ])('is ignored when it is %s', async (_, text) => {
    writeFileSync(join(folder, 'a'), 'one');
    writeFileSync(join(folder, 'build', 'sources.json'), text);
    expect(await digests('a')).toEqual([digestOf('one')]);
  });
});

test('many files come back in their order', async () => {
  const names = Array.from({length: 300}, (_, index) => `f${index}`);
  for (const name of names) writeFileSync(join(folder, name), name);
  expect(await digests(...names)).toEqual(names.map((name) => digestOf(name)));
});

test('a file that is missing, or is a directory, is a failure that names it', async () => {
  const sources = await openSources(join(folder, 'build'));
  expect(await sources.digest([{name: 'x', path: join(folder, 'x')}])).toEqual({
    ok: false,
    failure: {code: 'IO', message: `cannot read ${join(folder, 'x')}: no such file or directory`},
  });
  expect(await sources.digest([{name: 'build', path: join(folder, 'build')}])).toMatchObject({
    ok: false,
    failure: {code: 'IO', message: `cannot read ${join(folder, 'build')}: there is a directory in its place`},
  });
});
