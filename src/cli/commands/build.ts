import {buildFromSource} from '../../hosts/source.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, sourceOptionsOf} from '../source-options.js';

/** `flashfreeze build`: the two-stage build of CPython. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = sourceOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  return endOfBuild(await buildFromSource(options.value, context));
}
