import {openSnapshot} from '../../hosts/snapshot/snapshot-build.js';
import {endOfBuild, selectionOf, snapshotOptionsOf} from '../args/host-options.js';
import type {CommandEnd, Session} from '../command.js';

/** `flashfreeze snapshot`: an interpreter, or a program, that starts from the memory of one that has done its imports. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = snapshotOptionsOf(invocation, context.cacheDir);
  if (!options.ok) return {failure: options.failure};
  const build = await openSnapshot(options.value, selectionOf(invocation.options), context.cwd);
  if (!build.ok) return {failure: build.failure};
  return endOfBuild(await build.value.build(context));
}
