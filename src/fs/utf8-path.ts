/** Whether a path that Python gave has no bytes that are not UTF-8: they are lone surrogates in its texts, and no path here. */
export function isUtf8Path(path: string): boolean {
  return !/\p{Surrogate}/u.test(path);
}
