import {discoverModules} from '../../hosts/pipeline.js';
import {sourceHost} from '../../hosts/source.js';
import type {CommandEnd, Session} from '../command.js';
import {selectionOf, sourceOptionsOf} from '../host-options.js';

/** `flashfreeze discover`: the modules that a build would freeze, one a line. */
export async function run({invocation, context, product}: Session): Promise<CommandEnd> {
  const options = sourceOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  const host = await sourceHost(options.value);
  if (!host.ok) return {failure: host.failure};
  const found = await discoverModules(host.value, selectionOf(invocation.options), context);
  if (!found.ok) return {failure: found.failure};
  const {python, modules} = found.value;
  for (const {name, kind, origin, isPackage} of modules) {
    product({text: name, record: {type: 'module', name, kind, origin, isPackage}});
  }
  return {python, modules: modules.length};
}
