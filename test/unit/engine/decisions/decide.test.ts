import {chmodSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {decide, type DecideContext, type Decision} from '../../../../src/engine/decisions/decide.js';
import type {Found} from '../../../../src/engine/execution/store-access.js';
import {keyOf} from '../../../../src/engine/keys.js';
import {statFile} from '../../../../src/fs/path-state.js';
import type {ActionSpec} from '../../../../src/model/action-spec.js';
import {digestOf} from '../../../../src/model/digest.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {entryOf, MemoryJournal, specOf} from '../parts.js';

const folder = temporaryDirectory();
const path = join(folder, 'a.o');
const CONTENT = 'object';
const found: Found = {record: {keyRecord: '{}', outputs: []}, origin: 'cached'};

let journal: MemoryJournal;
let lookUps: number;
let spec: ActionSpec;
beforeEach(() => {
  journal = new MemoryJournal();
  lookUps = 0;
  spec = specOf('cc:a', {outputs: [{name: 'a.o', path, executable: true}]});
  writeFileSync(path, CONTENT);
  chmodSync(path, 0o755);
});

function ask(change: Partial<DecideContext> = {}, asked: ActionSpec = spec): Promise<Decision> {
  const lookUp = (): Promise<undefined> => {
    lookUps += 1;
    return Promise.resolve(undefined);
  };
  const context = {journal, force: false, isPending: () => false, lookUp, ...change};
  return decide(asked, keyOf(asked), context);
}

/** The journal's state after a run of `spec`. */
function afterRun(change: Parameters<typeof entryOf>[0] = {}): void {
  const {key, text} = keyOf(spec);
  journal.set(spec.id, entryOf({key, record: text, contents: {'a.o': CONTENT}, ...change}));
}

const reasons = (decision: Decision): string[] =>
  decision.kind === 'fresh' ? [] : decision.causes.map(({text}) => text);

test('an action that never ran is looked up, then executed', async () => {
  expect(await ask()).toEqual({kind: 'execute', causes: [{text: 'first build'}]});
  expect(lookUps).toBe(1);
  const hit = await ask({lookUp: () => Promise.resolve(found)});
  expect(hit).toEqual({kind: 'found', causes: [{text: 'first build'}], found});
});

test('an action whose outputs are unchanged is up to date, and the cache is not asked', async () => {
  afterRun();
  expect(await ask()).toMatchObject({
    kind: 'fresh',
    bytes: CONTENT.length,
    outputs: {'a.o': {digest: digestOf(CONTENT)}},
  });
  expect(lookUps).toBe(0);
});

test('a stamp that was read for the first time is kept, an equal one is not written again', async () => {
  utimesSync(path, 1, 1);
  afterRun();
  const before = journal.get(spec.id);
  await ask();
  const after = journal.get(spec.id);
  // The change time is recent, so the stamp is kept only once it has settled; the entry is the same until then.
  const stamp = statFile(path)?.settled === true ? statFile(path)?.stamp : null;
  if (stamp === null) expect(after).toBe(before);
  else expect(after?.outputs['a.o']?.stamp).toBe(stamp);
});

describe('outputs that are not as the last run left them', () => {
  const expected = {'a.o': {digest: digestOf(CONTENT), stamp: null}};

  test('a missing one', async () => {
    afterRun();
    rmSync(path);
    const causes = [{text: 'output a.o is missing'}];
    expect(await ask()).toEqual({kind: 'execute', causes, expected});
  });

  test('one that the journal does not have', async () => {
    afterRun({contents: {}});
    expect(reasons(await ask())).toEqual(['output a.o is missing']);
  });

  test('one with another content of the same size', async () => {
    afterRun();
    writeFileSync(path, 'OBJECT');
    const causes = [{text: 'output a.o was changed outside of the build'}];
    expect(await ask()).toEqual({kind: 'execute', causes, expected});
  });

  test('one that is no longer executable', async () => {
    afterRun();
    chmodSync(path, 0o644);
    expect(reasons(await ask())).toEqual(['output a.o was changed outside of the build']);
  });

  test('in the cache, they are found there', async () => {
    afterRun();
    rmSync(path);
    expect(await ask({lookUp: () => Promise.resolve(found)})).toMatchObject({kind: 'found', found});
  });
});

test('another key is a reason, and what it will make is not known', async () => {
  afterRun();
  const changed = {...spec, arguments: {level: 2}};
  const decision = await ask({}, changed);
  expect(reasons(decision)).toEqual([expect.stringMatching(/^arguments changed/)]);
  expect(decision).not.toHaveProperty('expected');
});

test('an action in place that did not finish runs again; the cache has nothing for it', async () => {
  spec = {...spec, storage: 'in-place'};
  afterRun({unfinished: true});
  expect(await ask()).toEqual({kind: 'execute', causes: [{text: 'the last run did not finish'}]});
  expect(lookUps).toBe(0);
});

test('force executes what is up to date', async () => {
  afterRun();
  expect(await ask({force: true})).toEqual({kind: 'execute', causes: [{text: 'forced'}]});
  expect(lookUps).toBe(0);
});

test('with an input that does not exist yet, nothing can be looked up', async () => {
  const pending = digestOf('pending');
  spec = {...spec, inputs: [{name: 'a.c', path: '/build/a.c', digest: pending, producer: 'generate:a'}]};
  afterRun();
  const decision = await ask({isPending: (digest) => digest === pending});
  expect(decision.kind).toBe('execute');
  expect(lookUps).toBe(0);
});

test('an action that found out by itself that its result is outdated is executed, and says why', async () => {
  afterRun();
  expect(await ask({}, {...spec, outdated: []})).toMatchObject({kind: 'fresh'});
  const decision = await ask({}, {...spec, outdated: ['/data changed', 'X has another value']});
  expect(decision.kind).toBe('execute');
  expect(reasons(decision)).toEqual(['/data changed', 'X has another value']);
});
