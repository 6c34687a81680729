import {expect, test} from '@jest/globals';
import {countActions} from '../../../src/engine/tally.js';
import type {ActionId, Outcome} from '../../../src/model/action.js';
import type {EventInput} from '../../../src/model/events.js';
import {failure, type FailureCode} from '../../../src/model/failure.js';
import {recorder} from './toys.js';

const finished = (id: ActionId, outcome: Outcome): EventInput => ({
  type: 'action-finished',
  id,
  step: 'cc',
  outcome,
  reason: '',
  ms: 1,
});
const failed = (id: ActionId, code: FailureCode): EventInput => ({
  type: 'action-failed',
  id,
  step: 'cc',
  failure: failure(code, 'no'),
  ms: 1,
});

test('actions are counted by outcome, and every event is passed on', () => {
  const record = recorder();
  const {sink, summary} = countActions(record);
  const events: EventInput[] = [
    finished('cc:b', 'executed'),
    finished('cc:c', 'fresh'),
    finished('cc:a', 'executed'),
    finished('cc:d', 'cached'),
    finished('cc:e', 'remote'),
    failed('cc:f', 'CC'),
    {type: 'notice', message: 'by the way'},
  ];
  for (const event of events) sink.emit(event);
  expect(record.events).toEqual(events);
  expect(summary()).toEqual({
    counts: {executed: 2, cached: 1, remote: 1, fresh: 1, failed: 1},
    executed: ['cc:b', 'cc:a'],
  });
});

test('an action that was stopped did not fail', () => {
  const {sink, summary} = countActions(recorder());
  sink.emit(failed('cc:a', 'INTERRUPTED'));
  expect(summary().counts.failed).toBe(0);
});

test('a summary stays as it was when more actions finish', () => {
  const {sink, summary} = countActions(recorder());
  const before = summary();
  sink.emit(finished('cc:a', 'executed'));
  expect(before).toEqual({counts: {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0}, executed: []});
});
