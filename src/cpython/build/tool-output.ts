/** The beginnings of error messages of compilers, linkers, make, Python and configure. */
const COMPLAINT =
  /\berror\b|\bundefined reference\b|\*\*\*|^Traceback|No such file|cannot find|No space left/i;
const LINES_BEFORE = 1;
const LINES_AFTER = 5;
const MOST_LINES = 40;

/**
 * The lines of a tool's output that say what went wrong: the first error messages, each with the lines around it, or, if
 * there are none, the last lines.
 */
export function extractErrors(output: string): string {
  const lines = output.trimEnd().split('\n');
  const chosen = new Set<number>();
  for (const [index, line] of lines.entries()) {
    if (chosen.size >= MOST_LINES) break;
    if (!COMPLAINT.test(line) || isCheck(line)) continue;
    for (let at = Math.max(0, index - LINES_BEFORE); at <= index + LINES_AFTER && at < lines.length; at++)
      chosen.add(at);
  }
  if (chosen.size === 0) return lines.slice(-10).join('\n');
  return [...chosen].map((index) => lines[index]).join('\n');
}

/** configure reports `checking for error_at_line... no`; a compiler's command line may name `-Werror`, `pyerrors.c`. */
function isCheck(line: string): boolean {
  return line.startsWith('checking ') || /^\S*(gcc|cc|clang)\S* .* -c /.test(line);
}
