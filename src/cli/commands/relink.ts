import {relinkBy} from '../../hosts/installed/relink-methods.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, methodOf, relinkOptionsOf, selectionOf} from '../args/host-options.js';

/** `flashfreeze relink`: a new executable from an installed Python. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = relinkOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  const relinking = await relinkBy(methodOf(invocation.options), options.value, context);
  if (!relinking.ok) return {failure: relinking.failure};
  return endOfBuild(await relinking.value.build(selectionOf(invocation.options), context));
}
