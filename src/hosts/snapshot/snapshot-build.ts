import type {BuildOutcome} from '../../model/outcomes.js';
import {ok, type Result} from '../../model/result.js';
import type {HostContext, ModuleSelection, SnapshotOptions} from '../../pipeline/build-options.js';
import {placesOf} from '../../pipeline/build-places.js';
import {freeze} from '../../pipeline/pipeline.js';
import type {Toolchain} from '../../pipeline/toolchain.js';
import {parseEntry, withEntry} from './program-entry.js';
import {type OpenedBase, openSourceBase, withInstalledBase} from './snapshot-base.js';
import {snapshotHost} from './snapshot-host.js';

/** An executable with a snapshot that can be built. */
export interface SnapshotBuild {
  /** The build directory. */
  readonly root: string;
  /** Fails as the pipeline does. */
  readonly build: (context: HostContext) => Promise<Result<BuildOutcome>>;
}

/** The build that the options describe. Fails with USAGE for a program that is none, and as `openSourceBase`. */
export async function openSnapshot(
  options: SnapshotOptions,
  selection: ModuleSelection,
  cwd: string,
): Promise<Result<SnapshotBuild>> {
  const entry = options.entry === undefined ? ok(undefined) : parseEntry(options.entry, cwd);
  if (!entry.ok) return entry;
  const {base} = options;
  const selected = entry.value === undefined ? selection : withEntry(selection, entry.value);
  const buildOn = <T extends Toolchain>(
    opened: OpenedBase<T>,
    context: HostContext,
  ): Promise<Result<BuildOutcome>> => freeze(snapshotHost(opened, options, entry.value), selected, context);
  if (base.kind === 'installed') {
    return ok({
      root: placesOf(options.buildDir).root,
      build: (context) => withInstalledBase(options, base, context, (opened) => buildOn(opened, context)),
    });
  }
  const source = await openSourceBase(options, base);
  if (!source.ok) return source;
  return ok({root: source.value.host.places.root, build: (context) => buildOn(source.value, context)});
}
