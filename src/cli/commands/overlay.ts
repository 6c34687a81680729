import {overlayHost} from '../../hosts/overlay/overlay-host.js';
import {warnAboutLateStart} from '../../hosts/overlay/late-start.js';
import {freeze} from '../../pipeline/pipeline.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, installedOptionsOf, selectionOf} from '../args/host-options.js';

/** `flashfreeze overlay`: images for an unmodified installed Python. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = installedOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  warnAboutLateStart(invocation.options, context.events);
  const host = overlayHost(options.value, context.cacheDir);
  return endOfBuild(await freeze(host, selectionOf(invocation.options), context));
}
