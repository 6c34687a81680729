/**
 * Splits a line into words as a shell would: white space between words, single and double quotes, backslashes. Nothing is
 * expanded. Undefined when a quote is not closed.
 */
export function splitCommandLine(line: string): readonly string[] | undefined {
  const words: string[] = [];
  const part = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;
  let word: string | undefined;
  let end = 0;
  for (let match = part.exec(line); match !== null; match = part.exec(line)) {
    end = part.lastIndex;
    const [all, single, double, escaped, plain] = match;
    const text = single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? plain;
    if (text !== undefined) {
      word = (word ?? '') + text;
    } else if (word !== undefined && all.trim() === '') {
      words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  return end === line.length ? words : undefined;
}

/**
 * The words of text that a shell is meant to read, such as CC, CFLAGS or MODLIBS of a Makefile: what quotes enclose is one word, and
 * words of blanks only are left out (Debian's 3.14 has stray `\\ ` in MODLIBS). A quote that is not closed is taken literally.
 */
export function shellWords(text: string): readonly string[] {
  const words = splitCommandLine(text) ?? text.split(/\s+/);
  return words.filter((word) => word.trim() !== '');
}

/** Words as text that a shell reads as these words. */
export function quoteForShell(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
