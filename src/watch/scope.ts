import {basename, dirname, join, sep} from 'node:path';

/** Which places of the file system a row of builds looks at. */
export interface Scope {
  /** The folders that hold the sources, and those that hold packages: not their trees. */
  readonly folders: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
  /** Whether a file or folder in one of them may be Python source. */
  readonly isRelevant: (path: string, kind: 'file' | 'folder') => boolean;
}

const IDENTIFIER = /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*$/u;

/**
 * @param sources of the modules that are frozen, absolute paths
 * @param outputs what builds write, absolute paths: nothing there or below is ever looked at, or builds would cause builds
 */
export function scopeOf(sources: readonly string[], outputs: readonly string[]): Scope {
  const isOutput = (path: string): boolean =>
    outputs.some((output) => path === output || path.startsWith(output + sep));
  const own = sources.filter((source) => !isOutput(source));
  const folders = new Set<string>();
  for (const source of own) {
    const folder = dirname(source);
    folders.add(folder);
    // A package that is removed comes back in the folder that holds it.
    if (basename(source) === '__init__.py') folders.add(dirname(folder));
  }
  return {
    folders,
    sources: new Set(own),
    isRelevant(path, kind) {
      if (isOutput(path)) return false;
      const name = basename(path);
      if (kind === 'file') return name.endsWith('.py') && !name.startsWith('.');
      return name !== '__pycache__' && IDENTIFIER.test(name);
    },
  };
}

/** Whether a change is one that no import statement tells of: a file, or a folder, that no module is frozen from. */
export function isNews(path: string, scope: Scope): boolean {
  return !scope.sources.has(path) && !scope.sources.has(join(path, '__init__.py'));
}
