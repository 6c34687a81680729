import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {readSnapshot} from '../hosts/snapshot/snapshot-contents.js';
import {describeTarget, type Target} from '../cpython/interpreter/target.js';
import {compareImages} from '../cpython/interpreter/verify-images.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import type {VerifyReport} from '../model/outcomes.js';
import {failure, type Failure} from '../model/failure.js';
import {type Result, ok} from '../model/result.js';
import {verifySnapshot} from './snapshot-check.js';
import {GETPATH} from '../pipeline/modules/module-plan.js';
import type {HostContext} from '../pipeline/build-options.js';

export interface VerifyRequest {
  /** The frozen interpreter. */
  readonly python: string;
  /** CPython's source tree, for the few sources that are not in the installed library (getpath). */
  readonly source?: string | undefined;
  /** For PYTHONHASHSEED: numbers, or `random`. */
  readonly hashSeeds: readonly string[];
}

/** The default values of PYTHONHASHSEED. */
export const DEFAULT_HASH_SEEDS: readonly string[] = ['0', '1', 'random'];

/**
 * Reads every image of a frozen interpreter and compares it with a fresh compile of its source, once for each hash seed.
 * The snapshot of an executable is compared with the memory of one more process. Differences are part of the report, not a failure.
 */
export async function verifyImages(
  request: VerifyRequest,
  context: HostContext,
): Promise<Result<VerifyReport>> {
  const found = await readSnapshot(request.python);
  if (!found.ok) return found;
  const interpreter = {
    // A program takes no options of an interpreter: the one beside it has the same images.
    python: found.value.program?.python ?? request.python,
    environment: scrubbedEnvironment({}, context.userEnvironment),
    signal: context.signal,
  };
  const target = await describeTarget(interpreter);
  if (!target.ok) return target;
  const sourceTree = request.source ?? dirname(target.value.stdlib);
  const sources = frozenSources(target.value, sourceTree);
  let [modules, expressions, snippets] = [0, 0, 0];
  const differences: VerifyReport['differences'][number][] = [];
  for (const seed of request.hashSeeds) {
    const compared = await compareImages(interpreter, sources, seed);
    if (!compared.ok) return compared;
    ({modules, expressions, snippets} = compared.value);
    differences.push(...compared.value.differences.map((difference) => ({...difference, seed})));
  }
  const missing = differences.flatMap(({field, module}) =>
    field === 'source' ? (sources[module] ?? []) : [],
  );
  if (missing.length > 0) {
    context.events.emit({
      type: 'warning',
      message: `cannot read sources, so their images count as different: ${[...new Set(missing)].join(', ')}`,
      hint: "pass CPython's source tree with --source",
    });
  }
  const compared = {python: target.value.version.text, modules, expressions, snippets, differences};
  if (found.value.snapshot === undefined) return ok(compared);
  const snapshot = await verifySnapshot(request.python, context);
  return snapshot.ok ? ok({...compared, snapshot: snapshot.value}) : snapshot;
}

/** The failure of a verification that found differences. */
export function differenceFailure({modules, differences, snapshot}: VerifyReport): Failure | undefined {
  if (differences.length === 0) {
    const {problem = null, details = []} = snapshot ?? {};
    if (problem === null) return undefined;
    return failure('VERIFY', `the snapshot is not the one that was proved: ${problem}`, {
      details: details.join('\n'),
      hint: 'build again',
    });
  }
  const differing = new Set(differences.map(({module}) => module)).size;
  const message = `${differing} of ${modules === 1 ? '1 image' : `${modules} images`} differ from a fresh compile`;
  return failure('VERIFY', message, {hint: 'build again with --force'});
}

/**
 * The paths of the sources of the modules that CPython freezes itself: the images only contain `frozen`. What an installation lacks
 * (`__phello__`, without CPython's test modules) is in the source tree.
 */
function frozenSources(target: Target, sourceTree: string): Readonly<Record<string, string>> {
  const rows = target.frozen.map(({origin, source: {root, path}}): [string, string] => {
    const installed = join(target.stdlib, path);
    if (root === 'stdlib' && existsSync(installed)) return [origin, installed];
    return [origin, join(sourceTree, root === 'stdlib' ? 'Lib' : '', path)];
  });
  return Object.fromEntries([...rows, [GETPATH, join(sourceTree, 'Modules/getpath.py')]]);
}
