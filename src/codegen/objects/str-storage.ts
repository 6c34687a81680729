import type {PyStr} from '../../marshal/objects.js';

/** The code points of a str, lone surrogates included. */
export function codePointsOf(text: PyStr): readonly number[] {
  return text.codePoints ?? Array.from(text.value, (char) => char.codePointAt(0) ?? 0);
}

/**
 * Whether CPython interns a str constant with this text: ASCII letters, digits and underscores only
 * (Objects/codeobject.c, `all_name_chars()`; `should_intern_string()` from 3.13 on).
 */
export function isNameLike(text: PyStr): boolean {
  return /^[A-Za-z0-9_]*$/.test(text.value);
}

/** How CPython stores text that is not ASCII: in units of 1, 2 or 4 bytes, whichever is the smallest that fits (PEP 393). */
export function unitSizeOf(codePoints: readonly number[]): 1 | 2 | 4 {
  let max = 0;
  for (const codePoint of codePoints) if (codePoint > max) max = codePoint;
  if (max < 0x100) return 1;
  return max < 0x10000 ? 2 : 4;
}
