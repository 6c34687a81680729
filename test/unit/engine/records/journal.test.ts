import {
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {
  JOURNAL,
  openJournal,
  type Journal,
  type JournalEntry,
} from '../../../../src/engine/records/journal.js';
import {digestOf} from '../../../../src/model/digest.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const entry = (text: string): JournalEntry => ({
  key: digestOf(text),
  record: text,
  outputs: {o: {digest: digestOf(`${text} output`), stamp: null}},
});

async function opened(): Promise<Journal> {
  const {journal, notice} = await openJournal(folder);
  expect(notice).toBeUndefined();
  return journal;
}

describe('a journal', () => {
  test('is read as it was saved', async () => {
    const journal = await opened();
    journal.set('cc:a', entry('one'));
    journal.set('cc:a', {...entry('two'), unfinished: true});
    expect(await journal.save()).toEqual({ok: true, value: undefined});
    const again = await opened();
    expect([again.get('cc:a'), again.get('cc:b')]).toEqual([{...entry('two'), unfinished: true}, undefined]);
    expect(readdirSync(folder)).toEqual([JOURNAL]);
  });

  test('gets only new lines, and is rewritten when most of it is old', async () => {
    const journal = await opened();
    for (const name of ['a', 'b', 'c']) journal.set(`cc:${name}`, entry(name));
    await journal.save();
    const text = (): string => readFileSync(join(folder, JOURNAL), 'utf8');
    const first = text();
    const again = await opened();
    again.set('cc:b', entry('new'));
    await again.save();
    expect(text()).toBe(`${first}${JSON.stringify(['cc:b', entry('new')])}\n`);
    for (let i = 0; i < 20; i += 1) {
      again.set('cc:c', entry(`${i}`));
      await again.save();
    }
    expect(text().split('\n').length).toBeLessThan(12);
    const last = await opened();
    expect(['a', 'b', 'c'].map((name) => last.get(`cc:${name}`))).toEqual(['a', 'new', '19'].map(entry));
  });

  test('that was truncated anywhere has all complete lines, and continues', async () => {
    const journal = await opened();
    for (const name of ['a', 'b']) journal.set(`cc:${name}`, entry(name));
    await journal.save();
    const whole = readFileSync(join(folder, JOURNAL), 'utf8');
    const [header = '', one = '', two = ''] = whole.split('\n');
    const start = header.length + 1 + one.length + 1;
    for (let length = start; length < start + two.length; length += 7) {
      writeFileSync(join(folder, JOURNAL), whole.slice(0, length));
      const cut = await opened();
      expect([cut.get('cc:a'), cut.get('cc:b')]).toEqual([entry('a'), undefined]);
      cut.set('cc:c', entry('c'));
      await cut.save();
      const again = await opened();
      expect([again.get('cc:a'), again.get('cc:c')]).toEqual([entry('a'), entry('c')]);
    }
  });

  test('that is removed while it is open is written whole', async () => {
    const journal = await opened();
    journal.set('cc:a', entry('a'));
    await journal.save();
    rmSync(join(folder, JOURNAL));
    journal.set('cc:b', entry('b'));
    expect((await journal.save()).ok).toBe(true);
    expect((await opened()).get('cc:a')).toEqual(entry('a'));
  });

  test('is written only when there is something new', async () => {
    const journal = await opened();
    await journal.save();
    expect(existsSync(join(folder, JOURNAL))).toBe(false);
  });

  test('is written periodically while there is work', async () => {
    const journal = await opened();
    journal.set('cc:a', entry('one'));
    await journal.saveNowAndThen();
    expect(existsSync(join(folder, JOURNAL))).toBe(false);
    const later = Date.now() + 10_000;
    jest.spyOn(Date, 'now').mockReturnValue(later);
    await journal.saveNowAndThen();
    expect((await opened()).get('cc:a')).toEqual(entry('one'));
  });

  test('holds everything that was set before the last of many saves at once', async () => {
    const journal = await opened();
    const saves = Array.from({length: 20}, (_, index) => {
      journal.set(`cc:${index}`, entry(String(index)));
      return journal.save();
    });
    expect((await Promise.all(saves)).every((saved) => saved.ok)).toBe(true);
    const again = await opened();
    expect(again.get('cc:19')).toEqual(entry('19'));
  });

  test('behind a link is read, and replaces the link', async () => {
    const journal = await opened();
    for (let i = 0; i < 20; i += 1) journal.set(`cc:${i}`, entry('one'));
    await journal.save();
    const [file, elsewhere] = [join(folder, JOURNAL), join(folder, 'elsewhere')];
    renameSync(file, elsewhere);
    symlinkSync(elsewhere, file);
    const before = readFileSync(elsewhere);
    const again = await opened();
    again.set('cc:a', entry('two'));
    expect((await again.save()).ok).toBe(true);
    expect(readFileSync(elsewhere).equals(before)).toBe(true);
    expect(lstatSync(file).isFile()).toBe(true);
    expect((await opened()).get('cc:a')).toEqual(entry('two'));
  });

  test('that could not be written fails, and is written by the next save', async () => {
    const journal = (await openJournal(join(folder, 'file'))).journal;
    journal.set('cc:a', entry('one'));
    writeFileSync(join(folder, 'file'), '');
    expect(await journal.save()).toMatchObject({ok: false, failure: {code: 'IO'}});
    rmSync(join(folder, 'file'));
    expect((await journal.save()).ok).toBe(true);
    expect((await openJournal(join(folder, 'file'))).journal.get('cc:a')).toEqual(entry('one'));
  });
});
