import {discoverModules} from '../../hosts/source.js';
import type {CommandEnd, Session} from '../command.js';
import {sourceOptionsOf} from '../source-options.js';

/** `flashfreeze discover`: the modules that a build would freeze, one a line. */
export async function run({invocation, context, product}: Session): Promise<CommandEnd> {
  const options = sourceOptionsOf(invocation);
  if (!options.ok) return {failure: options.failure};
  const found = await discoverModules(options.value, context);
  if (!found.ok) return {failure: found.failure};
  const {python, modules} = found.value;
  for (const {name, kind, origin, isPackage} of modules) {
    product({text: name, record: {type: 'module', name, kind, origin, isPackage}});
  }
  return {python, modules: modules.length};
}
