import {quantile} from '../src/inspect/benchmark.js';

/** The median of what was measured, and how far half of it lies from it. */
export interface Figure {
  readonly median: number;
  /** Half the distance between the quartiles. */
  readonly spread: number;
}

/** Undefined for nothing. */
export function figureOf(values: readonly number[]): Figure | undefined {
  if (values.length === 0) return undefined;
  return {
    median: quantile(values, 0.5),
    spread: (quantile(values, 0.75) - quantile(values, 0.25)) / 2,
  };
}

/** The mean of ratios: as much is twice as slow as is twice as fast. NaN for nothing. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}
