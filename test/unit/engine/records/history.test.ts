import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {
  explain,
  type Explanation,
  type History,
  readHistory,
} from '../../../../src/engine/records/history.js';
import {readLastRun} from '../../../../src/engine/records/last-run.js';
import type {ActionId} from '../../../../src/model/action.js';
import {fail} from '../../../../src/model/result.js';
import {actionText} from '../../../../src/report/explanation.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {build, editJournal, makeToy, storeIn, type Toy} from '../toys.js';

let folder: string;
let toy: Toy;
beforeEach(async () => {
  folder = temporaryDirectory();
  toy = await makeToy(folder, {a: 'A1\n', b: 'B1\n', c: 'C1\n'});
});

const edit = (name: string, content: string): void => {
  writeFileSync(join(toy.sourceDir, name), content);
};

async function history(): Promise<History> {
  const found = await readHistory(toy.buildDir);
  if (found === undefined) throw new Error('no history');
  return found;
}

/** What the last run did, in words. */
async function told(): Promise<string[]> {
  const {lastRun} = await history();
  return lastRun.done.map(({id, account}) => actionText(id, account)).sort();
}

/** The ids of a chain of causes, from the action to the root. */
function chain({id, because}: Explanation): ActionId[] {
  return [id, ...because.flatMap(chain)];
}

describe('the history of a build directory', () => {
  test('is none before the first run, and after a dry one', async () => {
    expect(await readHistory(toy.buildDir)).toBeUndefined();
    await build(toy, {dryRun: true});
    expect(await readHistory(toy.buildDir)).toBeUndefined();
  });

  test('reports what ran in the last run, and why', async () => {
    await build(toy);
    expect(await told()).toEqual([
      'cc:a ran: first build',
      'cc:b ran: first build',
      'cc:c ran: first build',
      'link:program ran: first build',
    ]);
    edit('b', 'B2\n');
    await build(toy);
    expect(await told()).toEqual([
      'cc:b ran: input b changed',
      'link:program ran: input cc:b changed; because b changed',
    ]);
    const {lastRun, needsOf, accountOf} = await history();
    expect([...lastRun.fresh].sort()).toEqual(['cc:a', 'cc:c']);
    expect(needsOf('link:program')).toEqual(['cc:a', 'cc:b', 'cc:c']);
    expect(needsOf('cc:a')).toEqual([]);
    expect(accountOf('cc:a')?.causes).toEqual([{text: 'first build'}]);
    expect(chain(explain('link:program', await history()) as Explanation)).toEqual(['link:program', 'cc:b']);
  });

  test('reports where work stopped because the bytes were unchanged', async () => {
    await build(toy);
    edit('b', 'B1\n# a comment\n');
    await build(toy);
    expect(await told()).toEqual(['cc:b ran: input b changed; its outputs are unchanged']);
  });

  test('reports what came from the cache, and why it was needed', async () => {
    const store = await storeIn(join(folder, 'store'));
    await build(toy, {store});
    edit('b', 'B2\n');
    await build(toy, {store});
    edit('b', 'B1\n');
    await build(toy, {store});
    expect(await told()).toEqual([
      'cc:b came from the cache: input b changed',
      'link:program came from the cache: input cc:b changed; because b changed',
    ]);
  });

  test('includes causes in an earlier run', async () => {
    await build(toy);
    edit('b', 'B2\n');
    const cannotLink = await build(toy, {}, (spec) =>
      spec.id === 'link:program' ? {...spec, execute: () => Promise.resolve(fail('LINK', 'no'))} : spec,
    );
    expect(cannotLink.result.ok).toBe(false);
    expect(await told()).toEqual([
      'cc:b ran: input b changed',
      'link:program failed: input cc:b changed; because b changed',
    ]);
    await build(toy);
    expect(await told()).toEqual(['link:program ran: input cc:b changed; because b changed']);
    expect(chain(explain('link:program', await history()) as Explanation)).toEqual(['link:program', 'cc:b']);
  });

  test('does not include later actions as causes', async () => {
    await build(toy);
    edit('b', 'B2\n');
    await build(toy);
    const before = (await history()).accountOf('link:program');
    edit('b', 'B2\n# a comment\n');
    await build(toy);
    const now = await history();
    expect(now.accountOf('link:program')).toEqual(before);
    expect(chain(explain('link:program', now) as Explanation)).toEqual(['link:program']);
    expect(before?.roots).toEqual(['b changed']);
  });

  test('is not needed by a build: if it is missing or damaged, nothing runs again', async () => {
    await build(toy);
    const file = join(toy.buildDir, 'last-run.json');
    for (const text of [
      '',
      '{',
      'null',
      '{"schema":1}',
      readFileSync(file, 'utf8').replace('"schema":1', '"schema":0'),
    ]) {
      writeFileSync(file, text);
      expect(await readLastRun(toy.buildDir)).toBeUndefined();
      expect((await build(toy)).executed).toEqual([]);
      expect((await readLastRun(toy.buildDir))?.fresh).toHaveLength(4);
    }
    rmSync(file);
    expect((await build(toy)).executed).toEqual([]);
  });

  test('of a journal of an earlier version has no accounts, and reasons without actions', async () => {
    await build(toy);
    editJournal(toy, (_, {key, record, outputs}) => ({key, record, outputs}));
    expect((await build(toy)).executed).toEqual([]);
    expect(explain('cc:a', await history())).toBeUndefined();
    edit('b', 'B2\n');
    await build(toy);
    expect(await told()).toEqual(['cc:b ran: input b changed', 'link:program ran: input b.o changed']);
  });
});

describe('a dry run', () => {
  test.each<[string, () => void]>([
    [
      'an edit',
      () => {
        edit('b', 'B2\n');
      },
    ],
    [
      'two edits',
      () => {
        edit('b', 'B2\n');
        edit('a', 'A2\n');
      },
    ],
    [
      'an output that is gone',
      () => {
        rmSync(join(toy.buildDir, 'c.o'));
      },
    ],
    ['nothing', () => undefined],
  ])('predicts the reasons of the run: %s', async (_, change) => {
    await build(toy);
    change();
    const dry = await build(toy, {dryRun: true});
    const real = await build(toy);
    // An input that does not exist yet may change; whether it does, only the run itself can tell.
    expect(dry.lines.map((line) => line.replace('may change', 'changed'))).toEqual(real.lines);
    expect(dry.executed).toEqual(real.executed);
  });

  test('does not predict the result of an edit', async () => {
    await build(toy);
    edit('b', 'B1\n# a comment\n');
    const dry = await build(toy, {dryRun: true});
    expect(dry.lines.filter((line) => !line.includes('fresh'))).toEqual([
      'cc:b: executed: input b changed',
      'link:program: executed: input cc:b may change; because b changed',
    ]);
    expect((await build(toy)).executed).toEqual(['cc:b']);
  });
});
