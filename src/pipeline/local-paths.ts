import {mentionsFolder} from './folder-names.js';
import type {HostContext} from './build-options.js';

/**
 * Whether text that a program made contains a path of this build: nobody else has a use for such text, and releases must not
 * depend on where they were built.
 */
export function mentionsLocalPath(
  text: string,
  buildDir: string,
  {cwd, userEnvironment}: HostContext,
): boolean {
  const plain = text.replaceAll('\\', '');
  return [cwd, userEnvironment['HOME'], buildDir].some(
    (folder) => folder !== undefined && folder.length > 1 && mentionsFolder(plain, folder),
  );
}
