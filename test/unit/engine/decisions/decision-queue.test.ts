import {setImmediate} from 'node:timers/promises';
import {expect, test} from '@jest/globals';
import {createDecisionQueue} from '../../../../src/engine/decisions/decision-queue.js';

/** Decisions that stay open until they are told to end. */
function openDecisions(queue: ReturnType<typeof createDecisionQueue>) {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const add = (name: string, isUrgent = false): Promise<void> =>
    queue.run(isUrgent, () => {
      started.push(name);
      return new Promise<void>((end) => ends.push(end));
    });
  return {started, ends, add};
}

test('it returns what was decided, and what was thrown', async () => {
  const queue = createDecisionQueue();
  expect(await queue.run(false, () => Promise.resolve(7))).toBe(7);
  await expect(queue.run(true, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('32 ordinary decisions run at once; an urgent one does not wait for them', async () => {
  const {started, ends, add} = openDecisions(createDecisionQueue());
  const all = Array.from({length: 40}, (_, i) => add(`ordinary ${i}`));
  await setImmediate();
  await setImmediate();
  expect(started).toHaveLength(32);
  const urgent = add('urgent', true);
  await setImmediate();
  expect(started.at(-1)).toBe('urgent');
  while (ends.length > 0) {
    ends.splice(0).forEach((end) => {
      end();
    });
    await setImmediate();
    await setImmediate();
  }
  await Promise.all([...all, urgent]);
  expect(started).toHaveLength(41);
});

test('decisions that never wait still let other events take place', async () => {
  const queue = createDecisionQueue();
  let decided = 0;
  let seen: number | undefined;
  void setImmediate().then(() => (seen = decided));
  await Promise.all(
    Array.from({length: 100}, () =>
      queue.run(false, () => {
        decided += 1;
        return Promise.resolve();
      }),
    ),
  );
  expect(seen).toBeGreaterThan(0);
  expect(seen).toBeLessThan(100);
});
