import {ok, type Result} from '../../model/result.js';
import type {ModuleSelection, SnapshotOptions} from '../../pipeline/build-options.js';
import type {Host} from '../../pipeline/host.js';
import type {SourceToolchain} from '../source/source-host.js';
import {parseEntry, withEntry} from './program-entry.js';
import {snapshotHost} from './snapshot-host.js';

/** A host, and what it is to freeze: with a program, also what that imports. */
export interface SnapshotBuild {
  readonly host: Host<SourceToolchain>;
  readonly selection: ModuleSelection;
}

/** The build that the options describe. Fails with USAGE for a program that is none, and as `snapshotHost`. */
export async function openSnapshot(
  options: SnapshotOptions,
  selection: ModuleSelection,
  cwd: string,
): Promise<Result<SnapshotBuild>> {
  const entry = options.entry === undefined ? ok(undefined) : parseEntry(options.entry, cwd);
  if (!entry.ok) return entry;
  const host = await snapshotHost(options, entry.value);
  if (!host.ok) return host;
  return ok({
    host: host.value,
    selection: entry.value === undefined ? selection : withEntry(selection, entry.value),
  });
}
