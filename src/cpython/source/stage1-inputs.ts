import type {Dirent} from 'node:fs';
import {join} from 'node:path';
import {readEntries, readTree} from '../../fs/recorded-fs.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {SourceTree} from './source-tree.js';

/**
 * What configure and make read, directory by directory (Makefile.pre.in and configure of 3.10 to 3.13).
 *
 * Not Lib: the modules from there that CPython freezes itself are frozen anew in stage 2, so that an edit in Lib never
 * costs a new stage 1. Not Doc, Grammar, PC, PCbuild, Mac: only other systems and `make regen-all` read those.
 */
const WHOLE_FOLDERS = [
  'Include',
  'Modules',
  'Objects',
  'Parser',
  'Programs',
  'Python',
  // deepfreeze.py, umarshal.py, check_extension_modules.py, update_file.py: in scripts up to 3.11, in build since.
  'Tools/build',
  'Tools/scripts',
  'Tools/freeze',
  'Tools/gdb',
  'Tools/jit',
];
/** Of the tree itself and of Misc, single files only. */
const ROOT_FILES =
  /^(configure|Makefile\.pre\.in|pyconfig\.h\.in|config\.guess|config\.sub|install-sh|setup\.py)$/;
const MISC_FILES = /^(.*\.in|platform_triplet\.c)$/;
/** What `configure` itself reads, of all these: templates, and the list of modules. */
const CONFIGURE_FILES =
  /^(configure|[^/]*\.in|config\.guess|config\.sub|install-sh|Misc\/.*|Modules\/(Setup[^/]*|makesetup|[^/]*\.in)|Include\/patchlevel\.h)$/;
/** Directories and files that no build reads: caches, what editors and version control leave, notes, CPython's tests. */
const IGNORED_FOLDERS = /^(__pycache__|tests|testbed|.*_corpus|\..*)$/;
const IGNORED_FILES = /(^\.|^#|~$|\.(o|a|so|pyc|pyo|orig|rej|bak|swp|md|rst)$)/;

/**
 * The files of a source tree that the result of configure and make depends on: paths relative to the tree, with
 * slashes, sorted by bytes. Fails with SOURCE_TREE when a directory cannot be read.
 */
export async function listStage1Inputs(tree: SourceTree): Promise<Result<readonly string[]>> {
  try {
    const parts = await Promise.all([
      filesOf(tree.path, '', ROOT_FILES),
      filesOf(tree.path, 'Misc', MISC_FILES),
      ...WHOLE_FOLDERS.map((folder) => filesBelow(tree.path, folder)),
    ]);
    const names = parts.flat().map((name) => Buffer.from(name));
    return ok(names.sort((a, b) => Buffer.compare(a, b)).map(String));
  } catch (error) {
    return fail('SOURCE_TREE', `cannot read the source tree ${tree.path}: ${String(error)}`);
  }
}

/** Of these files, the ones that configure reads: when only others change, make alone has work to do. */
export function selectConfigureInputs(stage1Inputs: readonly string[]): readonly string[] {
  return stage1Inputs.filter((name) => CONFIGURE_FILES.test(name));
}

/** Every file of the library but bytecode, the same way. */
export async function listLibrary(tree: SourceTree): Promise<Result<readonly string[]>> {
  try {
    const names = (await readTree(join(tree.path, 'Lib')))
      .filter(([name, entry]) => entry.isFile() && !name.endsWith('.pyc'))
      .map(([name]) => Buffer.from(`Lib/${name}`));
    return ok(names.sort((a, b) => Buffer.compare(a, b)).map(String));
  } catch (error) {
    return fail('SOURCE_TREE', `cannot read the library of ${tree.path}: ${String(error)}`);
  }
}

async function filesOf(root: string, folder: string, pattern: RegExp): Promise<string[]> {
  const entries = await readFolder(join(root, folder));
  return entries
    .filter((entry) => !entry.isDirectory() && pattern.test(entry.name))
    .map((entry) => (folder === '' ? entry.name : `${folder}/${entry.name}`));
}

async function filesBelow(root: string, folder: string): Promise<string[]> {
  const entries = await readFolder(join(root, folder));
  const parts = await Promise.all(
    entries.map(async (entry): Promise<string[]> => {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return IGNORED_FOLDERS.test(entry.name) ? [] : filesBelow(root, name);
      return IGNORED_FILES.test(entry.name) ? [] : [name];
    }),
  );
  return parts.flat();
}

/** A directory that this version of CPython does not have is empty. */
async function readFolder(path: string): Promise<Dirent[]> {
  try {
    return await readEntries(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
