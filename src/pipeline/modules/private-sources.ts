import {relative, sep} from 'node:path';
import {isReadableByAll, isReadableFile} from '../../fs/readers.js';
import type {ModulePlan} from './module-plan.js';

/** Directories of the library for what is not of the library. */
const INSTALLED = ['site-packages', 'dist-packages'];

/**
 * Whether other users may not read a source, by its own permissions or those of a directory above it. Of the standard library and of what
 * CPython freezes itself (`Modules/getpath.py` lies beside the library), only the permissions of the file count: it is no secret,
 * wherever somebody installed it.
 */
export function isPrivateSource(
  {source, isCPythonFrozen}: Pick<ModulePlan, 'source' | 'isCPythonFrozen'>,
  {stdlib}: {readonly stdlib: string},
): boolean {
  const [first = ''] = relative(stdlib, source).split(sep);
  const isOfLibrary = isCPythonFrozen || (first !== '' && first !== '..' && !INSTALLED.includes(first));
  return isOfLibrary ? !isReadableFile(source) : !isReadableByAll(source);
}
