/** How long a run waits for a remote cache, all in all: a clock that the test sets, and nothing of the machine's. */
import {beforeEach, expect, jest, test} from '@jest/globals';
import {createWaiting, type Waiting} from '../../../../src/cache/remote/waiting.js';
import {holdTime} from '../../../support/fake-time.js';

let clock: number;
let waiting: Waiting;
let exhausted: jest.Mock<(waitedMs: number) => void>;
beforeEach(() => {
  holdTime('setTimeout', 'clearTimeout');
  clock = 0;
  exhausted = jest.fn();
  waiting = createWaiting({baseMs: 1000, exhausted, now: () => clock});
});

/** A request that takes so long. */
const takes = (ms: number): Promise<void> =>
  waiting.during(() => {
    clock += ms;
    return Promise.resolve();
  });

test('many short waits are one long one', async () => {
  for (let count = 0; count < 10; count += 1) await takes(100);
  expect(exhausted).not.toHaveBeenCalled();
  await takes(1);
  expect(exhausted.mock.calls).toEqual([[1001]]);
  await takes(5000);
  expect(exhausted).toHaveBeenCalledTimes(1);
});

test('requests at the same time count once', async () => {
  await waiting.during(async () => {
    await Promise.all([takes(0), takes(0), takes(900)]);
  });
  expect(exhausted).not.toHaveBeenCalled();
});

test('time between requests does not count', async () => {
  await takes(900);
  clock += 1e6;
  await takes(90);
  expect(exhausted).not.toHaveBeenCalled();
});

test('answers earn time, results more of it, and large ones most', async () => {
  for (let count = 0; count < 1000; count += 1) {
    await takes(19);
    waiting.answered(0);
  }
  for (let count = 0; count < 100; count += 1) {
    await takes(110);
    waiting.answered(1);
  }
  waiting.answered(30_000_000);
  await takes(29_000);
  expect(exhausted).not.toHaveBeenCalled();
  await takes(10_000);
  expect(exhausted).toHaveBeenCalledTimes(1);
});

test('a request that does not end is not waited for', async () => {
  let end = (): void => undefined;
  const request = waiting.during(() => new Promise<void>((done) => (end = done)));
  clock = 1002;
  jest.advanceTimersByTime(1001);
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  expect(exhausted).toHaveBeenCalledTimes(1);
  end();
  await request;
});
