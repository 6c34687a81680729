/**
 * A program as data: its files, how it is started, and what is edited after it was frozen. Everything that the fuzzer does with
 * a program (writing, running, shrinking, keeping) reads this.
 *
 * `TTTTT` stands for a tag that differs from program to program, so that many of them are frozen into one interpreter. In paths
 * and texts, a lone surrogate stands for the byte that `surrogateescape` makes it of.
 */

/** Stands for the tag of a program, and has its length. */
export const TAG = 'TTTTT';

/** The bytecode that lies there before the program is frozen. */
export type Bytecode =
  | 'current'
  | 'none'
  /** In place of the source. */
  | 'only'
  /** Of another source, with the time and size of this one. */
  | 'stale'
  /** PEP 552. `old…` are of another source. */
  | 'unchecked'
  | 'checked'
  | 'old-unchecked'
  | 'old-checked'
  | 'damaged';

/**
 * What is chosen from. Not `stale` and `damaged`: an image is made of the source, whatever bytecode of the same time and size lies
 * beside it.
 */
export const BYTECODES: readonly Bytecode[] = [
  'none',
  'only',
  'unchecked',
  'checked',
  'old-unchecked',
  'old-checked',
];

export type Encoding =
  'utf-8' | 'utf-8-sig' | 'latin-1' | 'utf-16' | 'cp1251' | 'unknown' | 'nul' | 'crlf' | 'cr';

export interface ModuleFile {
  readonly kind: 'module';
  readonly path: string;
  /** Each is a piece of the file that can be left out. */
  readonly statements: readonly string[];
  readonly encoding: Encoding;
  readonly bytecode: Bytecode;
}

export interface LinkFile {
  readonly kind: 'link';
  readonly path: string;
  readonly to: string;
}

export interface DataFile {
  readonly kind: 'data';
  readonly path: string;
  readonly text: string;
}

export type ProgramFile = ModuleFile | LinkFile | DataFile;

/** A module that is frozen: by its name, from its path. */
export interface FrozenModule {
  readonly name: string;
  readonly path: string;
}

export type Form = 'script' | 'folder' | 'zip' | 'module' | 'code' | 'input';

export interface Start {
  readonly form: Form;
  /** For `module`: the name after `-m`, whose file is one of the program's. */
  readonly module: string;
  /** What runs, but for `module`. */
  readonly statements: readonly string[];
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Directories for PYTHONPATH, or (with `site`) for `site.addsitedir()`. */
  readonly path: readonly string[];
  readonly site: readonly string[];
}

/** Something done to a file after the build: rewritten with another text, with its old time, removed, … */
export interface Edit {
  readonly path: string;
  readonly how: 'rewrite' | 'touch' | 'remove' | 'folder-beside' | 'link';
}

/** Whether PYTHONPATH is ignored. */
export const ignoresEnvironment = (flags: readonly string[]): boolean =>
  flags.some((flag) => flag === '-I' || flag === '-E');

export interface Program {
  readonly name: string;
  readonly files: readonly ProgramFile[];
  readonly frozen: readonly FrozenModule[];
  readonly start: Start;
  readonly edits: readonly Edit[];
}

/** How much there is of it: what shrinking makes less. */
export function sizeOf({files, frozen, start, edits}: Program): number {
  const statements = files.reduce(
    (sum, file) => sum + (file.kind === 'module' ? file.statements.join().length : 20),
    0,
  );
  const odd = files.filter(
    (file) => file.kind === 'module' && (file.bytecode !== 'current' || file.encoding !== 'utf-8'),
  );
  const words = [...start.flags, ...Object.keys(start.environment), ...start.path, ...start.site];
  const own = start.statements.join().length + (start.form === 'script' ? 0 : 5);
  return (
    files.length * 20 +
    statements +
    odd.length * 5 +
    words.length * 5 +
    own +
    edits.length * 20 +
    frozen.length
  );
}
