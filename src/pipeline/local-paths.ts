import {namesFolder} from './folder-names.js';
import type {HostContext} from './build-options.js';

/**
 * Whether text that a program made names a folder of whoever builds: nobody else has a use for it, and releases tell no
 * place.
 */
export function namesPlace(text: string, buildDir: string, {cwd, userEnvironment}: HostContext): boolean {
  const plain = text.replaceAll('\\', '');
  return [cwd, userEnvironment['HOME'], buildDir].some(
    (folder) => folder !== undefined && folder.length > 1 && namesFolder(plain, folder),
  );
}
