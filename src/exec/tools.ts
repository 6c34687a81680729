import {constants} from 'node:fs/promises';
import {delimiter, join, resolve} from 'node:path';
import {access, isFileSync, stat} from '../fs/recorded-fs.js';
import {quoteForShell, shellWords} from '../model/shell-words.js';

/**
 * The absolute path of an executable, or undefined. A name with a slash is a path and is not searched for;
 * any other is looked up in the directories of `path` (as in PATH), in order.
 */
export async function findTool(name: string, path = process.env['PATH'] ?? ''): Promise<string | undefined> {
  if (name === '') return undefined;
  const candidates = name.includes('/')
    ? [resolve(name)]
    : path
        .split(delimiter)
        .filter((folder) => folder !== '')
        .map((folder) => resolve(join(folder, name)));
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

/** A program with a slash is a path relative to `cwd`; a bare name is looked up on PATH when it runs. */
export function resolveProgram(program: string, cwd: string): string {
  return program.includes('/') ? resolve(cwd, program) : program;
}

/**
 * A command line as a shell reads it, with absolute paths for its program and for programs that this one starts (`ccache bin/gcc`): it
 * runs in other directories. Its flags stay as they are.
 */
export function resolveCommand(command: string, cwd: string): string {
  const words = shellWords(command);
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  const resolved = words.map((word, i) => {
    const isProgram = i === 0 || ((firstFlag < 0 || i < firstFlag) && isFileSync(resolve(cwd, word)));
    return isProgram ? resolveProgram(word, cwd) : word;
  });
  return resolved.every((word, i) => word === words[i]) ? command : quoteForShell(resolved);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false;
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
