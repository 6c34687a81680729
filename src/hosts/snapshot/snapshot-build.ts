import type {BuildOutcome} from '../../model/outcomes.js';
import {ok, type Result} from '../../model/result.js';
import type {HostContext, ModuleSelection, SnapshotOptions} from '../../pipeline/build-options.js';
import {freeze} from '../../pipeline/pipeline.js';
import type {Toolchain} from '../../pipeline/toolchain.js';
import {type Entry, parseEntry, withEntry} from './program-entry.js';
import {type OpenedBase, openInstalledBase, openSourceBase} from './snapshot-base.js';
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
  const request = {options, entry: entry.value, selection};
  if (base.kind === 'installed') return ok(buildOf(openInstalledBase(options, base), request));
  const source = await openSourceBase(options, base);
  return source.ok ? ok(buildOf(source.value, request)) : source;
}

function buildOf<T extends Toolchain>(
  base: OpenedBase<T>,
  {
    options,
    entry,
    selection,
  }: {
    readonly options: SnapshotOptions;
    readonly entry: Entry | undefined;
    readonly selection: ModuleSelection;
  },
): SnapshotBuild {
  const host = snapshotHost(base, options, entry);
  const selected = entry === undefined ? selection : withEntry(selection, entry);
  return {root: host.places.root, build: (context) => freeze(host, selected, context)};
}
