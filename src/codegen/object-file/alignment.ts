/** The smallest multiple of `align` that is not below `value`. */
export function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}
