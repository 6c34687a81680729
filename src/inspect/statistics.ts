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

/** The value below which a share of the values lies, interpolated. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** What was measured of one side: a figure of many runs, or a number that repeats; null or undefined if it was not measured. */
export type Quantity = Figure | number | null | undefined;

/** The judged side over its baseline, of medians. Undefined where one of the two was not measured. */
export function ratio(judged: Quantity, baseline: Quantity): number | undefined {
  const [above, below] = [judged, baseline].map((value) =>
    typeof value === 'object' ? value?.median : value,
  );
  return above === undefined || below === undefined ? undefined : above / below;
}

/** The geometric mean, in which twice as slow and twice as fast cancel out. NaN for nothing. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, each) => sum + Math.log(each), 0) / ratios.length);
}
