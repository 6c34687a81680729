import {overlayHost} from '../../hosts/overlay/overlay-host.js';
import {freeze} from '../../pipeline/pipeline.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, installedOptionsOf, selectionOf} from '../args/host-options.js';

/** `flashfreeze overlay`: images for an installed Python that stays as it is. */
export async function run({invocation, context}: Session): Promise<CommandEnd> {
  const options = installedOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  const selection = selectionOf(invocation.options);
  const {traces, modules, packages, stdlib} = selection;
  if (!stdlib && traces.length + modules.length + packages.length === 0) {
    context.events.emit({
      type: 'warning',
      message: 'an overlay cannot serve most start-up modules, which are imported before it is loaded',
      hint: 'freeze what your program imports: --trace, --package, --stdlib',
    });
  }
  const host = overlayHost(options.value, context.cacheDir);
  return endOfBuild(await freeze(host, selection, context));
}
