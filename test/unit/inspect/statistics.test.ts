import {expect, test} from '@jest/globals';
import {check, property, array, double} from 'fast-check';
import {figureOf, geometricMean, quantile, ratio} from '../../../src/inspect/statistics.js';

test('a figure is the median and half the distance between the quartiles', () => {
  expect(figureOf([5, 1, 4, 2, 3])).toEqual({median: 3, spread: 1});
  expect(figureOf([1, 2])).toEqual({median: 1.5, spread: 0.25});
  expect(figureOf([7])).toEqual({median: 7, spread: 0});
  expect(figureOf([])).toBeUndefined();
});

test('quantiles lie between the values, in their order', () => {
  const values = array(double({noNaN: true, min: -1e9, max: 1e9}), {minLength: 1, maxLength: 40});
  const found = check(
    property(values, (numbers) => {
      const [least, quarter, half, all] = [0, 0.25, 0.5, 1].map((share) => quantile(numbers, share));
      const order = [Math.min(...numbers), least, quarter, half, all, Math.max(...numbers)].map(Number);
      return order.every((each, i) => i === 0 || each >= (order[i - 1] ?? NaN));
    }),
  );
  expect(found.failed).toBe(false);
});

test('one outlier does not move a figure', () => {
  expect(figureOf([10, 10, 10, 10, 1e6])).toEqual({median: 10, spread: 0});
});

test('a ratio is that of medians, and there is none of what was not measured', () => {
  expect(ratio({median: 3, spread: 1}, {median: 4, spread: 9})).toBe(0.75);
  expect(ratio(50, 100)).toBe(0.5);
  expect([ratio(null, 1), ratio(1, undefined), ratio(null, null)]).toEqual([undefined, undefined, undefined]);
});

test('twice as slow and twice as fast cancel out', () => {
  expect(geometricMean([2, 0.5])).toBeCloseTo(1, 12);
  expect(geometricMean([0.8])).toBeCloseTo(0.8, 12);
  expect(geometricMean([])).toBeNaN();
});
