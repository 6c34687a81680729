import {freeze} from '../../pipeline/pipeline.js';
import {graftHost} from '../../hosts/installed/graft-host.js';
import {relinkHost} from '../../hosts/installed/relink-host.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, relinkOptionsOf, selectionOf} from '../args/host-options.js';

/** `flashfreeze relink`: a new executable from an installed Python. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = relinkOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  const selection = selectionOf(invocation.options);
  if (invocation.options.method === 'graft') {
    return endOfBuild(await freeze(graftHost(options.value, context.cacheDir), selection, context));
  }
  return endOfBuild(await freeze(relinkHost(options.value, context.cacheDir), selection, context));
}
