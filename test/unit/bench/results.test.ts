import {expect, test} from '@jest/globals';
import {FROZEN, ratioOf, spreadOf} from '../../../bench/ratios.js';
import {type Measured, type Row, UNMEASURED, mergeRows} from '../../../bench/results.js';
import {figureOf, geometricMean} from '../../../src/inspect/statistics.js';
import {meanOf, ratioCell} from '../../../bench/table.js';

function row(command: string, unmodified: Partial<Measured>, frozen: Partial<Measured>): Row {
  return {
    ...{subject: 'relink-3.13', python: '3.13.0', command, load: null},
    sides: {unmodified: {...UNMEASURED, ...unmodified}, frozen: {...UNMEASURED, ...frozen}},
  };
}

test('the median and half of the distance between the quartiles', () => {
  expect(figureOf([9, 1, 3, 5, 7])).toEqual({median: 5, spread: 2});
  expect(figureOf([4])).toEqual({median: 4, spread: 0});
  expect(figureOf([])).toBeUndefined();
});

test('the mean of twice as fast and twice as slow is 1', () => {
  expect(geometricMean([0.5, 2])).toBeCloseTo(1);
  expect(geometricMean([])).toBeNaN();
});

test('a ratio is that of the judged side over its baseline, and is not there when one is missing', () => {
  const both = row('-c pass', {instructions: 200}, {instructions: 150});
  expect(ratioOf(both, FROZEN, 'instructions')).toBe(0.75);
  expect(ratioOf(both, FROZEN, 'wall')).toBeUndefined();
  expect(ratioOf(row('-c pass', {instructions: 200}, {}), FROZEN, 'instructions')).toBeUndefined();
  expect(ratioCell(both, ['frozen', 'few'], 'instructions')).toBe('–');
});

test('the spread of a ratio comes from both times', () => {
  const timed = row('x', {wall: {median: 10, spread: 0.3}}, {wall: {median: 8, spread: 0.32}});
  expect(spreadOf(timed, FROZEN)).toBeCloseTo(0.8 * 0.05);
  expect(ratioCell(timed, FROZEN, 'wall')).toBe('0.80 ± 0.04');
});

test('a mean exists only if no row lacks the figure', () => {
  const one = row('one', {instructions: 100}, {instructions: 50});
  const other = row('other', {instructions: 100}, {instructions: 200});
  expect(meanOf([one, other], FROZEN, 'instructions')).toBeCloseTo(1);
  expect(meanOf([one, row('third', {}, {})], FROZEN, 'instructions')).toBeUndefined();
});

test('new measurements replace old ones; the rest stays', () => {
  const wall = {median: 10, spread: 1};
  const old = row('one', {instructions: 100, wall}, {instructions: 50, wall});
  const other = row('other', {instructions: 7}, {instructions: 7});
  const fresh = row('one', {instructions: 90}, {instructions: 60});
  const merged = mergeRows([{...old, load: 0.2}, other], [fresh, row('new', {}, {})]);
  expect(merged.map(({command}) => command)).toEqual(['one', 'other', 'new']);
  expect(merged[0]?.sides['unmodified']).toEqual({...UNMEASURED, instructions: 90, wall});
  expect(merged[0]?.sides['frozen']).toEqual({...UNMEASURED, instructions: 60, wall});
  expect(merged[0]?.load).toBe(0.2);
  expect(merged[1]).toBe(other);
});
