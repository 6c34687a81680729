import {relinkBy} from '../../hosts/installed/relink-methods.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, relinkOptionsOf, selectionOf} from '../args/host-options.js';

/** `flashfreeze relink`: a new executable from an installed Python. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = relinkOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  const method = invocation.options.method === 'graft' ? 'graft' : 'link';
  return endOfBuild(await relinkBy(method, options.value, selectionOf(invocation.options), context));
}
