import {mentionsFolder} from './folder-names.js';
import type {HostContext} from './build-options.js';

/**
 * Whether text that a program made contains a path of this build: such text is useless elsewhere, and releases must not
 * depend on their build directory.
 */
export function mentionsLocalPath(
  text: string,
  buildDir: string,
  {cwd, userEnvironment}: Pick<HostContext, 'cwd' | 'userEnvironment'>,
): boolean {
  const plain = text.replaceAll('\\', '');
  return [cwd, userEnvironment['HOME'], buildDir].some(
    (folder) => folder !== undefined && folder.length > 1 && mentionsFolder(plain, folder),
  );
}
