import {readdir} from 'node:fs/promises';
import {basename, delimiter, join} from 'node:path';
import {pythonWords} from '../../cpython/interpreter/python-command.js';
import {describeTarget} from '../../cpython/interpreter/target.js';
import {scrubbedEnvironment} from '../../exec/environment.js';
import {relinkBy} from '../../hosts/installed/relink-methods.js';
import {overlayHost, overlayPlaces} from '../../hosts/overlay/overlay-host.js';
import {type Result, ok} from '../../model/result.js';
import {quoteForShell} from '../../model/shell-words.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {selectionFrom} from '../../pipeline/modules/selection-settings.js';
import {freeze} from '../../pipeline/pipeline.js';
import type {StartSide} from '../start-place.js';
import type {FoundProgram} from './find-program.js';

/** How images got into the frozen program. */
export type FreezeMethod = 'link' | 'graft' | 'overlay';

/** A frozen program, in a directory where nobody else looks for it. */
export interface FrozenProgram {
  /** `3.13.15` */
  readonly python: string;
  /** How many modules are frozen. */
  readonly modules: number;
  readonly method: FreezeMethod;
  /** Called by the name of the original, it finds the same library, and the same virtual environment. */
  readonly side: StartSide;
  /** Everything that was made. */
  readonly files: readonly string[];
}

/**
 * Freezes what a program imports into a new executable of its Python, below `place`; as an overlay where that cannot be made. Fails as
 * the hosts do.
 * @param environment the user's, in which the program runs
 */
export async function freezeProgram(
  {python, command}: FoundProgram,
  place: string,
  environment: Readonly<Record<string, string>>,
  context: HostContext,
): Promise<Result<FrozenProgram>> {
  const selection = selectionFrom({trace: [quoteForShell(pythonWords(command))]});
  const out = join(place, 'frozen', basename(python));
  const options = {python, buildDir: undefined, cc: undefined};
  const relinking = await relinkBy(undefined, {...options, out, pie: false, debugInfo: false}, context);
  const built = relinking.ok ? await relinking.value.build(selection, context) : relinking;
  if (built.ok) {
    const {python: version, modules, method = 'link'} = built.value;
    const files = await filesIn(join(place, 'frozen'));
    return ok({python: version, modules, method, side: {file: out, name: python, environment}, files});
  }
  // No archive to link, and no patchelf, or an executable that cannot be grafted: an overlay needs neither.
  if (!['PYTHON', 'NO_TOOL', 'LINK', 'SMOKE'].includes(built.failure.code)) return built;
  const {message} = built.failure;
  context.events.emit({
    type: 'notice',
    message: `no new executable can be made (${message}): trying an overlay`,
  });
  return freezeAsOverlay(place, python, selection, environment, context, built);
}

async function freezeAsOverlay(
  place: string,
  python: string,
  selection: ReturnType<typeof selectionFrom>,
  environment: Readonly<Record<string, string>>,
  context: HostContext,
  instead: Result<never>,
): Promise<Result<FrozenProgram>> {
  const out = join(place, 'overlay');
  const host = overlayHost({python, out, buildDir: undefined, cc: undefined}, context.cacheDir);
  const built = await freeze(host, selection, context);
  // What stands in the way of both is said once, of the first.
  if (!built.ok) return built.failure.code === 'INTERRUPTED' ? built : instead;
  const target = await describeTarget({
    ...{python, signal: context.signal},
    environment: scrubbedEnvironment({}, context.userEnvironment),
  });
  if (!target.ok) return target;
  const {siteFolder} = overlayPlaces(out, target.value);
  const PYTHONPATH = [siteFolder, environment['PYTHONPATH'] ?? '']
    .filter((each) => each !== '')
    .join(delimiter);
  return ok({
    ...{python: built.value.python, modules: built.value.modules, method: 'overlay'},
    side: {file: python, name: python, environment: {...environment, PYTHONPATH}},
    files: await filesIn(out),
  });
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, {withFileTypes: true, recursive: true});
  return entries.filter((entry) => entry.isFile()).map(({parentPath, name}) => join(parentPath, name));
}
