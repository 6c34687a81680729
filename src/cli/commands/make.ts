import {makeHost} from '../../hosts/make/make-host.js';
import {freeze} from '../../pipeline/pipeline.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, makeRequestOf, selectionOf} from '../args/host-options.js';

/** `flashfreeze make`: what Makefile.inc calls for images. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const request = makeRequestOf(invocation, context.userEnvironment);
  if (!request.ok) return {failure: request.failure};
  return endOfBuild(await freeze(makeHost(request.value), selectionOf(invocation.options), context));
}
