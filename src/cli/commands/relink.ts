import {freeze} from '../../pipeline/pipeline.js';
import {relinkHost} from '../../hosts/installed/relink-host.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, relinkOptionsOf, selectionOf} from '../args/host-options.js';

/** `flashfreeze relink`: a new executable from an installed Python. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = relinkOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  const host = relinkHost(options.value, context.cacheDir);
  return endOfBuild(await freeze(host, selectionOf(invocation.options), context));
}
