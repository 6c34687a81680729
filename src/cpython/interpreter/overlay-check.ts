import {writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {withTemporaryFolder} from '../../fs/temporary-folder.js';
import {runProcess} from '../../exec/process.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {Interpreter} from './run-script.js';
import {tryImages, type TriedDifference, type TriedModule} from './try-images.js';

/** A module that an overlay has an image of. */
export interface ServedModule {
  readonly name: string;
  /** Its source. */
  readonly path: string;
}

/**
 * Whether an unmodified interpreter loads an overlay through its .pth file and has a module's code from it, which is not run; also compares images
 * of the overlay with a fresh compile. Fails as `tryImages` does.
 * @param line the .pth file that loads `extension`
 */
export async function tryOverlay(
  interpreter: Interpreter,
  extension: string,
  line: string,
  {name, path}: ServedModule,
  modules: readonly TriedModule[],
): Promise<Result<readonly TriedDifference[]>> {
  return withTemporaryFolder('overlay', async (folder) => {
    await writeFile(join(folder, 'flashfreeze.pth'), line);
    const way = {kind: 'overlay', extension, folder, directory: placeOf({name, path}), module: name} as const;
    // Without site, which may load an earlier overlay.
    return tryImages(interpreter, ['-I', '-S', '-B'], way, modules);
  });
}

/** The directory that a module is looked for in. */
function placeOf({path}: ServedModule): string {
  return path.endsWith('/__init__.py') ? dirname(dirname(path)) : dirname(path);
}

const COMPILE = `
import py_compile, sys
py_compile.compile(sys.argv[1], doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
`;

/** Writes a module's bytecode file, which is then taken without a look at the source. Fails with COMPILE. */
export async function writeByteCode(
  {python, environment, signal}: Interpreter,
  source: string,
): Promise<Result<void>> {
  const args = ['-I', '-S', '-c', COMPILE, source];
  const run = await runProcess({file: python, args, cwd: '/', environment, signal});
  if (!run.ok) return run;
  if (run.value.exitCode === 0) return ok();
  return fail('COMPILE', `${source} does not compile`, {details: run.value.stderr});
}
