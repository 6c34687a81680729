import {regenerateImages} from '../../hosts/source.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, sourceOptionsOf} from '../source-options.js';

/** `flashfreeze regen`: only the C and the objects, without the new interpreter. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = sourceOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  return endOfBuild(await regenerateImages(options.value, context));
}
