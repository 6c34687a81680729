import {snapshotHost} from '../../hosts/snapshot/snapshot-host.js';
import {freeze} from '../../pipeline/pipeline.js';
import {endOfBuild, selectionOf, snapshotOptionsOf} from '../args/host-options.js';
import type {CommandEnd, Session} from '../command.js';

/** `flashfreeze snapshot`: an interpreter that starts from the memory of one that has done its imports. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = snapshotOptionsOf(invocation, context.cacheDir);
  if (!options.ok) return {failure: options.failure};
  const selection = selectionOf(invocation.options);
  const host = await snapshotHost(options.value);
  if (!host.ok) return {failure: host.failure};
  return endOfBuild(await freeze(host.value, selection, context));
}
