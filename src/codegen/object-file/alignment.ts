/** The largest alignment of many things: more than a call takes as arguments. */
export function largestAlign(all: readonly {readonly align: number}[]): number {
  return all.reduce((largest, {align}) => Math.max(largest, align), 1);
}

/** The smallest multiple of `align` that is not below `value`. */
export function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}
