import {existsSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {openJournal, type Journal, type JournalEntry} from '../../../src/engine/journal.js';
import {digestOf} from '../../../src/model/digest.js';
import {temporaryFolder, type TemporaryFolder} from '../exec/rig.js';

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  jest.restoreAllMocks();
  folder.remove();
});

const entry = (text: string): JournalEntry => ({
  key: digestOf(text),
  record: text,
  outputs: {o: {digest: digestOf(`${text} output`), stamp: null}},
});

async function opened(): Promise<Journal> {
  const {journal, notice} = await openJournal(folder.path);
  expect(notice).toBeUndefined();
  return journal;
}

describe('a journal', () => {
  test('comes back as it was saved', async () => {
    const journal = await opened();
    journal.set('cc:a', entry('one'));
    journal.set('cc:a', {...entry('two'), unfinished: true});
    expect(await journal.save()).toEqual({ok: true, value: undefined});
    const again = await opened();
    expect([again.get('cc:a'), again.get('cc:b')]).toEqual([{...entry('two'), unfinished: true}, undefined]);
    expect(readdirSync(folder.path)).toEqual(['journal.json']);
  });

  test('is written only when there is something new', async () => {
    const journal = await opened();
    await journal.save();
    expect(existsSync(folder.at('journal.json'))).toBe(false);
  });

  test('is written now and then while there is work', async () => {
    const journal = await opened();
    journal.set('cc:a', entry('one'));
    await journal.saveNowAndThen();
    expect(existsSync(folder.at('journal.json'))).toBe(false);
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

  test('that could not be written says so, and is written by the next save', async () => {
    const journal = (await openJournal(folder.at('file'))).journal;
    journal.set('cc:a', entry('one'));
    writeFileSync(folder.at('file'), '');
    expect(await journal.save()).toMatchObject({ok: false, failure: {code: 'IO'}});
    rmSync(folder.at('file'));
    expect((await journal.save()).ok).toBe(true);
    expect((await openJournal(folder.at('file'))).journal.get('cc:a')).toEqual(entry('one'));
  });
});
