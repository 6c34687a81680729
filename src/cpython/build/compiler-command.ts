import {shellWords} from '../../model/shell-words.js';

/** A compiler command as in CC of a Makefile: `gcc`, `gcc -std=gnu11`, `ccache gcc`, `zig cc -target x86_64-linux-gnu`. */
export interface CompilerCommand {
  /** The program: a name on PATH, or a path. */
  readonly file: string;
  /** Words between it and the first flag, such as the compiler behind a launcher (`ccache`, `recc`). They come first in every call. */
  readonly prefix: readonly string[];
  /** Flags that belong to every call. */
  readonly flags: readonly string[];
}

/** Reads CC. A command without a word is `cc`. */
export function parseCompilerCommand(cc: string): CompilerCommand {
  const [file = 'cc', ...rest] = shellWords(cc);
  const first = rest.findIndex((word) => word.startsWith('-'));
  const end = first < 0 ? rest.length : first;
  return {file, prefix: rest.slice(0, end), flags: rest.slice(end)};
}
