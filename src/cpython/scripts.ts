import {fileURLToPath} from 'node:url';

/** The files of `src/cpython/scripts`: what runs inside a target. */
export type ScriptName =
  | 'describe.py'
  | 'examine.py'
  | 'expressions.py'
  | 'installation.py'
  | 'measure.py'
  | 'precompile.py'
  | 'resolve.py'
  | 'snippets.py'
  | 'trace.py'
  | 'verify_images.py'
  | 'worker.py';

/**
 * The absolute path of a script. The scripts are not compiled, so they stay in `src/` of the package; both
 * `src/cpython/` and `dist/cpython/` lie two folders below the package.
 */
export function scriptPath(name: ScriptName): string {
  return fileURLToPath(new URL(`../../src/cpython/scripts/${name}`, import.meta.url));
}
