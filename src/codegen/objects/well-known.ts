/**
 * The strings that the interpreter has as static objects of its own: generated code points at them instead of making
 * copies, so that `is` holds and lookups stay fast.
 */
export type WellKnownStrings = ReadonlyMap<string, string>;

/**
 * Reads them from the target's `Include/internal/pycore_global_strings.h` (3.11 and later): text to C expression.
 * `STRUCT_FOR_ID(x)` is the string "x", `_Py_ID(x)`; `STRUCT_FOR_STR(name, "text")` is "text", `_Py_STR(name)`
 * (`FF_OF_RUNTIME`: layouts/common.h).
 * A literal with an escape is skipped: that string is then emitted as a copy, which is only slower.
 */
export function parseWellKnownStrings(header: string): WellKnownStrings {
  const strings = new Map<string, string>();
  const body = header.slice(header.indexOf('struct _Py_global_strings'));
  for (const [, name, text] of body.matchAll(/STRUCT_FOR_STR\((\w+), "([^"\\]*)"\)/g)) {
    if (name !== undefined && text !== undefined) strings.set(text, `FF_OF_RUNTIME(_Py_STR(${name}))`);
  }
  for (const [, name] of body.matchAll(/STRUCT_FOR_ID\((\w+)\)/g)) {
    if (name !== undefined) strings.set(name, `FF_OF_RUNTIME(_Py_ID(${name}))`);
  }
  return strings;
}
