import {expect, test} from '@jest/globals';
import {type Breaker, createBreaker} from '../../../../src/cache/remote/breaker.js';

/** How often something has to happen until a breaker opens, and what it says then, in order. */
function untilOpen(act: (breaker: Breaker, i: number) => void, answered = true): [number, readonly string[]] {
  const said: string[] = [];
  const breaker = createBreaker((reason) => said.push(reason));
  if (answered) breaker.succeeded();
  let count = 0;
  for (; breaker.closed() && count < 100; count += 1) act(breaker, count + 1);
  // It stays open, and says so once.
  breaker.succeeded();
  breaker.failed('later');
  expect(breaker.closed()).toBe(false);
  return [count, said];
}

test('one failure before the first answer is enough: the server is unreachable', () => {
  expect(
    untilOpen((breaker) => {
      breaker.failed('refused');
    }, false),
  ).toEqual([1, ['refused']]);
});

test('a server that has answered may fail twice; useless answers count less', () => {
  expect(
    untilOpen((breaker, i) => {
      breaker.failed(`failure ${i}`);
    }),
  ).toEqual([3, ['failure 3']]);
  expect(
    untilOpen((breaker, i) => {
      breaker.poor(`poor ${i}`);
    }),
  ).toEqual([12, ['poor 12']]);
});

test('both add up, whatever comes in between', () => {
  expect(
    untilOpen((breaker, i) => {
      if (i % 2 === 0) breaker.failed('failed');
      else breaker.poor('poor');
      breaker.succeeded();
    }),
  ).toEqual([6, ['failed']]);
});

test('one answer can cost as much as many', () => {
  expect(
    untilOpen((breaker) => {
      breaker.poor('a large file with other bytes', 50);
    }),
  ).toEqual([1, ['a large file with other bytes']]);
});
