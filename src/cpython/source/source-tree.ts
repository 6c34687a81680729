import {join, resolve} from 'node:path';
import {readFile, realpath, stat} from '../../fs/recorded-fs.js';
import {fail, ok, type Result} from '../../model/result.js';
import {parsePatchlevel, type PythonVersion} from '../interpreter/version.js';

/** A CPython source tree that an out-of-tree build can use. */
export interface SourceTree {
  /** Absolute path, symbolic links resolved. */
  readonly path: string;
  readonly version: PythonVersion;
}

/** Without these it is no CPython source tree. */
const LANDMARKS = ['configure', 'Makefile.pre.in', 'Include/patchlevel.h', 'Lib/os.py', 'Programs/python.c'];

/**
 * What an in-tree build leaves: with any of these in the source tree, CPython's own `check-clean-src` (Makefile.pre.in)
 * fails or, worse, make takes an object file from there through its VPATH. `python.exe` is the name on file systems
 * that ignore case.
 */
const BUILD_LEFTOVERS = [
  'Makefile',
  'pyconfig.h',
  'python',
  'python.exe',
  'Programs/python.o',
  'Python/frozen_modules/importlib._bootstrap.h',
];

/** Opens a directory as a CPython source tree. Fails with SOURCE_TREE when it is none, or one that was built inside. */
export async function openSourceTree(folder: string): Promise<Result<SourceTree>> {
  const path = await realpath(folder).catch(() => undefined);
  if (path === undefined) return fail('SOURCE_TREE', `${resolve(folder)}: no such directory`);
  for (const landmark of LANDMARKS) {
    if (await isFile(join(path, landmark))) continue;
    return fail('SOURCE_TREE', `${path} is not a CPython source tree: it has no ${landmark}`, {
      hint: "pass the directory that contains CPython's configure script",
    });
  }
  for (const leftover of BUILD_LEFTOVERS) {
    if (!(await isFile(join(path, leftover)))) continue;
    return fail('SOURCE_TREE', `the source tree ${path} contains an in-tree build: ${leftover}`, {
      hint: `clean it with "make -C ${path} distclean", or use a fresh source tree`,
    });
  }
  const version = parsePatchlevel(await readFile(join(path, 'Include/patchlevel.h'), 'utf8'));
  return version.ok ? ok({path, version: version.value}) : version;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
