import {expect, test} from '@jest/globals';
import type {Account} from '../../../../src/engine/causes.js';
import {createExplanations} from '../../../../src/engine/explanations/explanations.js';
import type {Outcome} from '../../../../src/model/action.js';
import {entryOf, MemoryJournal} from '../parts.js';

const RUN = '2026-01-02T03:04:05.000Z';
const accountOf = (text: string): Account => ({
  run: '2026-01-01T00:00:00.000Z',
  outcome: 'executed',
  causes: [{text}],
  causeCount: 1,
  roots: [],
  rootCount: 0,
});

test('an action has the reason that was added, and its causes as text', () => {
  const explanations = createExplanations(RUN, new MemoryJournal());
  expect(explanations.has('cc:a')).toBe(false);
  explanations.add('cc:a', [{text: 'input a.c changed'}, {text: 'tool gcc changed'}]);
  expect(explanations.has('cc:a')).toBe(true);
  expect(explanations.causesOf('cc:a')).toEqual(['input a.c changed', 'tool gcc changed']);
  expect(explanations.reasonFor('cc:a', 'executed')).toBe('input a.c changed (and 1 more)');
});

test('causes are followed through this run, and through the journal for actions that were up to date', () => {
  const journal = new MemoryJournal();
  journal.set('cc:b', entryOf({account: accountOf('input b.c changed')}));
  const explanations = createExplanations(RUN, journal);
  explanations.add('cc:a', [{text: 'input a.c changed'}]);
  const why = explanations.add('link:python', [
    {text: 'input cc:a changed', producer: 'cc:a'},
    {text: 'input cc:b changed', producer: 'cc:b'},
  ]);
  expect(why).toMatchObject({run: RUN, causeCount: 2, roots: ['a.c changed', 'b.c changed']});
});

test('what this run found goes before what the journal has', () => {
  const journal = new MemoryJournal();
  journal.set('cc:a', entryOf({account: accountOf('input old.c changed')}));
  const explanations = createExplanations(RUN, journal);
  explanations.add('cc:a', [{text: 'input new.c changed'}]);
  const {roots} = explanations.add('link:python', [{text: 'input cc:a changed', producer: 'cc:a'}]);
  expect(roots).toEqual(['new.c changed']);
});

test.each<[Outcome, string]>([
  ['fresh', 'up to date'],
  ['cached', 'result in the cache'],
  ['remote', 'result in the remote cache'],
  ['executed', 'unknown reason'],
])('without causes, the reason for %s is: %s', (outcome, reason) => {
  const explanations = createExplanations(RUN, new MemoryJournal());
  expect(explanations.reasonFor('cc:a', outcome)).toBe(reason);
  expect(explanations.causesOf('cc:a')).toEqual([]);
});

test('the account of a success is that of the journal; that of a failure names its causes', () => {
  const journal = new MemoryJournal();
  journal.set('cc:a', entryOf({account: accountOf('input a.c changed')}));
  const explanations = createExplanations(RUN, journal);
  explanations.add('cc:a', [{text: 'forced'}]);
  expect(explanations.accountOf('cc:a', 'executed').causes).toEqual([{text: 'input a.c changed'}]);
  expect(explanations.accountOf('cc:a', 'failed')).toMatchObject({
    run: RUN,
    outcome: 'failed',
    causes: [{text: 'forced'}],
  });
  expect(explanations.accountOf('cc:x', 'failed')).toMatchObject({outcome: 'failed', causes: []});
});
