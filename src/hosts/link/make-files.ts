/** The files for make: the arguments for the linker, and the sources of the images. */

/** A response file: one word a line, as GCC and Clang read them. */
export function responseFile(words: readonly string[]): string {
  return words.map((word) => `"${word.replaceAll(/["\\]/g, '\\$&')}"\n`).join('');
}

/**
 * Whether GNU make reads the name of a file in a makefile as that name: there is no way to write these characters, some of which begin a recipe or
 * an assignment. The last one stands for bytes that are not UTF-8.
 */
export function isNameForMake(path: string): boolean {
  return !/[=;|*?[\\\n\ufffd]/.test(path);
}

/**
 * A makefile that says what `target` was made of. Each source is a target, too, without a recipe: make then treats one that
 * was removed as changed, instead of looking for a rule to make it. Names that make cannot read are left out.
 */
export function dependencyFile(target: string, sources: readonly string[]): string {
  const names = [...new Set(sources)].filter(isNameForMake).map(makeName);
  if (names.length === 0) return '';
  const list = (all: readonly string[]): string => all.join(' \\\n  ');
  return `${makeTarget(makeName(target))}: \\\n  ${list(names)}\n\n${list(names.map(makeTarget))}:\n`;
}

/** A file name where a makefile has names of files. */
function makeName(path: string): string {
  return path.replaceAll(/[ \t#:]/g, '\\$&').replaceAll('$', '$$$$');
}

/** The same where it would be a pattern. */
function makeTarget(name: string): string {
  return name.replaceAll('%', '\\%');
}
