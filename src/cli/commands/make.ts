import {makeHost} from '../../hosts/make.js';
import {readMakeRequest} from '../../hosts/make-request.js';
import {freeze} from '../../hosts/pipeline.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, need, selectionOf} from '../host-options.js';

/** `flashfreeze make`: what Makefile.inc calls for images. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const {command, options} = invocation;
  const buildDir = need(command, 'build-dir', 'DIR', options['build-dir']);
  if (!buildDir.ok) return {failure: buildDir.failure};
  const request = readMakeRequest(buildDir.value, context.userEnvironment);
  if (!request.ok) return {failure: request.failure};
  return endOfBuild(await freeze(makeHost(request.value), selectionOf(options), context));
}
