import {constants} from 'node:fs/promises';
import {delimiter, join, resolve} from 'node:path';
import {access, stat} from '../fs/recorded-fs.js';

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

/** A command line whose program is a path counts from `cwd`; a bare name is looked up on PATH when it runs. */
export function resolveCommand(command: string, cwd: string): string {
  // Arguments may follow: `gcc -I/somewhere`.
  return /^\S*\//.test(command) ? resolve(cwd, command) : command;
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
