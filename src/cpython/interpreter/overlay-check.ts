import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {runProcess} from '../../exec/process.js';
import {askProcess} from './answers.js';
import {fail, ok, type Result} from '../../model/result.js';
import {NO_BYTECODE, type Interpreter} from './run-script.js';

/** A module that an overlay has an image of. */
export interface ServedModule {
  readonly name: string;
  /** Its source. */
  readonly path: string;
}

const QUESTION = `
import sys, site
answer, pth, extension, folder, name = sys.argv[1:]
site.addsitedir(pth)
import _frozen_importlib as b, _frozen_importlib_external as e
if '_flashfreeze' not in sys.modules:  # Once more, so that it says why.
    b._load(e.spec_from_file_location('_flashfreeze', extension, loader=e.ExtensionFileLoader('_flashfreeze', extension)))
import _flashfreeze
spec = e.PathFinder._path_importer_cache(folder).find_spec(name)
code = spec.loader.get_code(name)
info = _flashfreeze.info()
with open(answer, 'w') as file:
    print(info['used'] if _flashfreeze.is_static(code) else 0, info['inactive_because'], file=file)
`;

/**
 * Whether an unmodified interpreter loads an overlay through its .pth file and has a module's code from it. The
 * module itself is not run. Fails with SMOKE.
 * @param line the .pth file that loads `extension`
 */
export async function servesImage(
  {python, environment, signal}: Interpreter,
  extension: string,
  line: string,
  module: ServedModule,
): Promise<Result<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'flashfreeze-overlay-'));
  try {
    await writeFile(join(folder, 'flashfreeze.pth'), line);
    const place = placeOf(module);
    const run = await askProcess({
      file: python,
      // The stamps of the sources are written last, beside an overlay that works.
      args: (answer) => [
        ...['-I', '-S', '-B', '-X', 'flashfreeze=on', '-c', QUESTION],
        ...[answer, folder, extension, place, module.name],
      ],
      cwd: '/',
      environment: {...environment, ...NO_BYTECODE},
      signal,
      timeoutMs: 60_000,
    });
    if (!run.ok) return run;
    const {exitCode, answer, said} = run.value;
    if (exitCode !== 0) {
      return fail('SMOKE', `${python} cannot load the overlay (exit code ${exitCode})`, {details: said});
    }
    const [used, ...reason] = answer.trim().split(' ');
    if (Number(used) > 0) return ok();
    return fail('SMOKE', `${python} uses none of the overlay's images: ${reason.join(' ')}`);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
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
