/** What AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer print: their reports, without addresses and numbers. */

/** How often there was each. */
export type Reports = ReadonlyMap<string, number>;

/** How many functions of a stack tell one report from another. */
const FUNCTIONS = 6;

/** Errors: `heap-use-after-free: function < its caller < …`, `Objects/longobject.c:12: left shift of #`. */
export function errorsIn(texts: readonly string[]): Reports {
  const found = new Map<string, number>();
  const add = (what: string): void => void found.set(what, (found.get(what) ?? 0) + 1);
  for (const text of texts) {
    for (const [, place = '', what = ''] of text.matchAll(/^(\S+:\d+):\d+: runtime error: (.*)$/gm))
      add(`${place}: ${what.replaceAll(/0x[0-9a-f]+|-?\d+/g, '#')}`);
    for (const [, kind = '', stack = ''] of text.matchAll(
      /ERROR: AddressSanitizer: (\S+)[^]*?\n((?: +#\d+ .*\n)+)/g,
    ))
      add(`${kind}: ${functionsIn(stack)}`);
  }
  return found;
}

/** Leaks, with the bytes of each: those that nothing points to, and those that only such memory points to. */
export function leaksIn(texts: readonly string[]): Reports {
  const found = new Map<string, number>();
  for (const text of texts)
    for (const [, bytes = '', stack = ''] of text.matchAll(
      /(?:Direct|Indirect) leak of (\d+) byte\(s\) in \d+ object\(s\) allocated from:\n((?: +#\d+ .*\n)+)/g,
    )) {
      const what = functionsIn(stack);
      found.set(what, (found.get(what) ?? 0) + Number(bytes));
    }
  return found;
}

function functionsIn(stack: string): string {
  const names = Array.from(stack.matchAll(/ in (\S+)/g), ([, name = '']) => name);
  return names.slice(0, FUNCTIONS).join(' < ');
}
