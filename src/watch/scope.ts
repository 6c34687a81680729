import {basename, dirname, join, sep} from 'node:path';
import {foldersOf, mayBeSource} from '../pipeline/modules/source-folders.js';

/** The paths of the file system that a sequence of builds depends on. */
export interface Scope {
  /** The directories that hold the sources, and those that hold packages: not their trees. */
  readonly folders: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
  /** Other files that the result depends on, whether they are there or not. */
  readonly files: ReadonlySet<string>;
  /** Whether a file or directory in one of them may be Python source. */
  readonly isRelevant: (path: string, kind: 'file' | 'folder') => boolean;
}

/**
 * @param sources of the modules that are frozen, and programs: absolute paths
 * @param outputs what builds write, absolute paths: changes there or below are ignored, or builds would cause builds
 * @param reads what else the result depends on: files, and directories whose every name matters, but for hidden ones and bytecode
 */
export function scopeOf(
  sources: readonly string[],
  outputs: readonly string[],
  reads: {readonly files: readonly string[]; readonly listed: readonly string[]} = {files: [], listed: []},
): Scope {
  const isOutput = (path: string): boolean =>
    outputs.some((output) => path === output || path.startsWith(output + sep));
  const all = new Set(reads.listed);
  const isListed = (path: string): boolean =>
    all.has(dirname(path)) && !basename(path).startsWith('.') && basename(path) !== '__pycache__';
  const own = new Set(sources.filter((source) => !isOutput(source)));
  const files = new Set(reads.files.filter((path) => !own.has(path) && !isOutput(path)));
  return {
    folders: new Set([...foldersOf([...own, ...files]), ...all]),
    sources: own,
    files,
    isRelevant(path, kind) {
      // A program need not be named like a module.
      return (
        own.has(path) ||
        files.has(path) ||
        (!isOutput(path) && (isListed(path) || mayBeSource(basename(path), kind)))
      );
    },
  };
}

/** Whether a change can affect imports without changing a frozen source: a file, or a directory, that no module is frozen from. */
export function mayAffectImports(path: string, scope: Scope): boolean {
  return !scope.sources.has(path) && !scope.files.has(path) && !scope.sources.has(join(path, '__init__.py'));
}
