import {regenerate} from '../../pipeline/pipeline.js';
import {sourceHost} from '../../hosts/source/source-host.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, selectionOf, sourceOptionsOf} from '../args/host-options.js';

/** `flashfreeze regen`: only the object files, without the new interpreter. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = sourceOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  const host = await sourceHost(options.value);
  if (!host.ok) return {failure: host.failure};
  return endOfBuild(
    await regenerate(host.value, selectionOf(invocation.options), {
      ...context,
      assembler: invocation.options.assembler ?? false,
    }),
  );
}
