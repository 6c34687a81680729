/** The programmatic API: docs/api.md. */
import {relinkBy} from '../hosts/installed/relink-methods.js';
import {warnAboutLateStart} from '../hosts/overlay/late-start.js';
import {overlayHost} from '../hosts/overlay/overlay-host.js';
import {placeOfBase, snapshotBaseOf} from '../hosts/snapshot/snapshot-base.js';
import {openSnapshot} from '../hosts/snapshot/snapshot-build.js';
import {sourceHost} from '../hosts/source/source-host.js';
import {DEFAULT_HASH_SEEDS, differenceFailure, verifyImages} from '../inspect/verification.js';
import type {Failure} from '../model/failure.js';
import type {BuildOutcome, VerifyReport} from '../model/outcomes.js';
import {err, type Result} from '../model/result.js';
import {defaultBuildDir} from '../pipeline/default-build-dir.js';
import {selectionFrom} from '../pipeline/modules/selection-settings.js';
import {freeze} from '../pipeline/pipeline.js';
import type {
  BuildOptions,
  OverlayOptions,
  RelinkOptions,
  SnapshotOptions,
  VerifyOptions,
} from './api-options.js';
import {type Performed, runCall} from './api-run.js';
import {checkOptions} from './check-options.js';
import {DECLARATIONS} from './option-kinds.js';

export type {
  AbortSignalLike,
  BuildOptions,
  CallOptions,
  FreezeOptions,
  ModuleOptions,
  OverlayOptions,
  RelinkOptions,
  SnapshotOptions,
  VerifyOptions,
} from './api-options.js';
export type {ActionId, Outcome, Step} from '../model/action.js';
export type {
  ActionCounts,
  ActionFailed,
  ActionFinished,
  ActionStarted,
  CacheLookup,
  CommandFailed,
  CommandStarted,
  Event,
  Notice,
  PhaseFinished,
  PhaseStarted,
  Reason,
  Summary,
  ToolOutput,
  Warning,
} from '../model/events.js';
export type {Failure, FailureCode} from '../model/failure.js';
export type {BuildOutcome, ImageDifference, VerifyReport} from '../model/outcomes.js';
export type {Err, Ok, Result} from '../model/result.js';

/** A failure of `verify`. */
export interface VerifyFailure extends Failure {
  /** What was compared, when the code is VERIFY. */
  readonly report?: VerifyReport;
}

/** Builds CPython, freezes modules, and links it again with them. */
export async function build(options: BuildOptions): Promise<Result<BuildOutcome>> {
  const checked = checkOptions('build', options, DECLARATIONS.build);
  if (!checked.ok) return checked;
  const {source, buildDir, out, cc, pie, builtinExtensions, debugInfo} = checked.value;
  return runCall('build', checked.value, async (context) => {
    const host = await sourceHost({
      ...{source, buildDir, out, cc},
      configureArguments: checked.value.configureArg ?? [],
      makeArguments: checked.value.makeArg ?? [],
      pie: pie ?? false,
      builtinExtensions: builtinExtensions ?? false,
      debugInfo: debugInfo ?? false,
    });
    return performed(host.ok ? await freeze(host.value, selectionFrom(checked.value), context) : host);
  });
}

/** Builds an interpreter, or a program, that starts from the memory of one that has done its imports. */
export async function snapshot(options: SnapshotOptions): Promise<Result<BuildOutcome>> {
  const checked = checkOptions('snapshot', options, DECLARATIONS.snapshot);
  if (!checked.ok) return checked;
  const {out, buildDir, cc, entry, cwd} = checked.value;
  return runCall('snapshot', checked.value, async (context) => {
    const base = snapshotBaseOf(checked.value);
    if (!base.ok) return performed(base);
    const place = {python: placeOfBase(base.value), out};
    const opened = await openSnapshot(
      {
        ...{base: base.value, out, cc, entry},
        buildDir: buildDir ?? defaultBuildDir('snapshot', place, context.cacheDir),
        debugInfo: checked.value.debugInfo ?? false,
        snapshot: checked.value.snapshot ?? true,
      },
      selectionFrom(checked.value),
      cwd,
    );
    if (!opened.ok) return performed(opened);
    return performed(await opened.value.build(context));
  });
}

/** Links a new executable from an installed Python, with frozen modules. */
export async function relink(options: RelinkOptions): Promise<Result<BuildOutcome>> {
  const checked = checkOptions('relink', options, DECLARATIONS.relink);
  if (!checked.ok) return checked;
  const {python, out, buildDir, cc, pie = false, debugInfo = false, method} = checked.value;
  return runCall('relink', checked.value, async (context) => {
    const relinked = {python, out, buildDir, cc, pie, debugInfo};
    const relinking = await relinkBy(method, relinked, context);
    if (!relinking.ok) return performed(relinking);
    return performed(await relinking.value.build(selectionFrom(checked.value), context));
  });
}

/** Makes frozen modules that an unmodified installed Python loads. */
export async function overlay(options: OverlayOptions): Promise<Result<BuildOutcome>> {
  const checked = checkOptions('overlay', options, DECLARATIONS.overlay);
  if (!checked.ok) return checked;
  const {python, out, buildDir, cc} = checked.value;
  return runCall('overlay', checked.value, async (context) => {
    warnAboutLateStart(checked.value, context.events);
    const host = overlayHost({python, out, buildDir, cc}, context.cacheDir);
    return performed(await freeze(host, selectionFrom(checked.value), context));
  });
}

/** Compares each image of a frozen interpreter with a fresh compile of its source. Fails with VERIFY when one differs. */
export async function verify(options: VerifyOptions): Promise<Result<VerifyReport, VerifyFailure>> {
  const checked = checkOptions('verify', options, DECLARATIONS.verify);
  if (!checked.ok) return checked;
  const {images, source, hashSeed = DEFAULT_HASH_SEEDS} = checked.value;
  return runCall('verify', checked.value, async (context) => {
    const compared = await verifyImages({python: images, source, hashSeeds: hashSeed}, context);
    return judged(compared, images);
  });
}

function performed(result: Result<BuildOutcome>): Performed<Result<BuildOutcome>> {
  return {result, end: result.ok ? result.value : {failure: result.failure}};
}

function judged(
  compared: Result<VerifyReport>,
  output: string,
): Performed<Result<VerifyReport, VerifyFailure>> {
  if (!compared.ok) return {result: compared, end: {failure: compared.failure}};
  const {python, modules} = compared.value;
  const problem = differenceFailure(compared.value);
  if (problem === undefined) return {result: compared, end: {python, modules, output}};
  const result = err({...problem, report: compared.value});
  return {result, end: {python, modules, output, failure: problem}};
}
