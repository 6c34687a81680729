import {parseEntry, withEntry} from '../../hosts/snapshot/program-entry.js';
import {snapshotHost} from '../../hosts/snapshot/snapshot-host.js';
import {ok} from '../../model/result.js';
import {freeze} from '../../pipeline/pipeline.js';
import {endOfBuild, selectionOf, snapshotOptionsOf} from '../args/host-options.js';
import type {CommandEnd, Session} from '../command.js';

/** `flashfreeze snapshot`: an interpreter, or a program, that starts from the memory of one that has done its imports. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = snapshotOptionsOf(invocation, context.cacheDir);
  if (!options.ok) return {failure: options.failure};
  const {entry: text} = options.value;
  const entry = text === undefined ? ok(undefined) : parseEntry(text, context.cwd);
  if (!entry.ok) return {failure: entry.failure};
  const host = await snapshotHost(options.value, entry.value);
  if (!host.ok) return {failure: host.failure};
  const chosen = selectionOf(invocation.options);
  const selection = entry.value === undefined ? chosen : withEntry(chosen, entry.value);
  return endOfBuild(await freeze(host.value, selection, context));
}
