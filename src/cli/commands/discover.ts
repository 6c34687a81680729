import type {HostContext, ModuleSelection} from '../../pipeline/build-options.js';
import {overlayHost} from '../../hosts/overlay/overlay-host.js';
import {discoverModules} from '../../pipeline/pipeline.js';
import {sourceHost} from '../../hosts/source/source-host.js';
import type {CommandEnd, Invocation, Session} from '../command.js';
import {selectionOf, sourceOptionsOf} from '../args/host-options.js';

/** `flashfreeze discover`: the modules that a build would freeze, one a line. */
export async function run({invocation, context, product}: Session): Promise<CommandEnd> {
  const selection = selectionOf(invocation.options);
  const found =
    invocation.options.python === undefined
      ? await discoverInSource(invocation, selection, context)
      : await discoverModules(
          installedHost(invocation.options.python, invocation, context),
          selection,
          context,
        );
  if (!found.ok) return {failure: found.failure};
  const {python, modules} = found.value;
  for (const {name, kind, origin, isPackage} of modules) {
    product({text: name, record: {type: 'module', name, kind, origin, isPackage}});
  }
  return {python, modules: modules.length};
}

async function discoverInSource(
  invocation: Invocation,
  selection: ModuleSelection,
  context: HostContext,
): ReturnType<typeof discoverModules> {
  const options = sourceOptionsOf(invocation);
  if (!options.ok) return options;
  const host = await sourceHost(options.value);
  return host.ok ? discoverModules(host.value, selection, context) : host;
}

/** The host for an installed Python with the fewest requirements. */
function installedHost(
  python: string,
  {options}: Invocation,
  {cacheDir}: HostContext,
): ReturnType<typeof overlayHost> {
  return overlayHost({python, out: '', buildDir: options['build-dir'], cc: options.cc}, cacheDir);
}
