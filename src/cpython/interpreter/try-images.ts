import {z} from 'zod';
import {askProcess} from './answers.js';
import {NO_BYTECODE, parseJson, type Interpreter} from './run-script.js';
import {scriptPath} from './scripts.js';
import {fail, ok, type Result} from '../../model/result.js';

/** How images get into a process: `WAYS` in try_images.py. */
export type Way =
  | {readonly kind: 'linked'}
  | {readonly kind: 'grafted'}
  /** `module`: one that has an image. */
  | {readonly kind: 'loaded'; readonly module: string}
  | {
      readonly kind: 'overlay';
      readonly extension: string;
      /** The directory of the .pth file that loads it. */
      readonly folder: string;
      /** Where `module` is looked for. */
      readonly directory: string;
      readonly module: string;
    };

/** A module whose image is to be compared with a fresh compile of its source. */
export interface TriedModule {
  readonly module: string;
  readonly source: string;
}

/** A difference between an image and a fresh compile. */
export interface TriedDifference extends TriedModule {
  /** The qualified name of the code object. */
  readonly where: string;
  readonly field: string;
  readonly detail: string;
}

const DIFFERENCE = z.tuple([z.number(), z.string(), z.string(), z.string()]);

/** The stamps of the sources are written last, beside an interpreter that works. */
const TRUSTING = ['-X', 'flashfreeze=on'];
const START_MS = 60_000;
/** Comparing a thousand modules takes two seconds. */
const COMPARE_MS = 20 * 60_000;

/**
 * Starts a new interpreter, or one with a new overlay. Fails with SMOKE when that fails, or no image is used: a linker that ignored --wrap
 * gives an interpreter that works and uses none. In the same process, compares images with a fresh compile of their sources.
 * @param flags `-B`, and what makes the interpreter use its images
 * Fails with VERIFY when that ends the process.
 */
export async function tryImages(
  {python, environment, signal}: Interpreter,
  flags: readonly string[],
  way: Way,
  modules: readonly TriedModule[] = [],
): Promise<Result<readonly TriedDifference[]>> {
  const words = [...wordsOf(way), ...modules.flatMap(({module, source}) => [module, source])];
  const run = await askProcess({
    file: python,
    args: (answer, request) => [...flags, ...TRUSTING, scriptPath('try_images.py'), answer, request],
    request: words.map((word) => `${word}\0`).join(''),
    cwd: '/',
    environment: {...environment, ...NO_BYTECODE},
    signal,
    timeoutMs: modules.length === 0 ? START_MS : COMPARE_MS,
    mayCrash: true,
  });
  if (!run.ok) return run;
  const {exitCode, answer, said} = run.value;
  const what = way.kind === 'overlay' ? `${python} with the new overlay` : 'the new interpreter';
  const ended = exitCode < 0 ? '' : ` (exit code ${exitCode})`;
  const [state, ...lines] = answer.trimEnd().split('\n');
  if (state === undefined || state === '') {
    return fail('SMOKE', `${what} does not start${ended}`, {details: said});
  }
  const [used, ...reason] = state.split(' ');
  if (!(Number(used) > 0)) return fail('SMOKE', `${what} uses none of its images: ${reason.join(' ')}`);
  const last = modules[Number(lines.findLast((line) => /^\d+$/.test(line)))];
  if (exitCode === 0 || last === undefined) return ok(lines.flatMap((line) => differenceOf(line, modules)));
  return fail('VERIFY', `${what} crashed on the image of ${last.module}${ended}`, {details: said});
}

function wordsOf(way: Way): readonly string[] {
  switch (way.kind) {
    case 'linked':
    case 'grafted':
      return [way.kind];
    case 'loaded':
      return [way.kind, way.module];
    case 'overlay':
      return [way.kind, way.extension, way.folder, way.directory, way.module];
  }
}

/** One difference, or none: a line may also be the index of a module. */
function differenceOf(line: string, modules: readonly TriedModule[]): readonly TriedDifference[] {
  const parsed = DIFFERENCE.safeParse(parseJson(line));
  if (!parsed.success) return [];
  const [index, where, field, detail] = parsed.data;
  const tried = modules[index];
  return tried === undefined ? [] : [{...tried, where, field, detail}];
}
