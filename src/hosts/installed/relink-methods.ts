import type {BuildOutcome} from '../../model/outcomes.js';
import type {Result} from '../../model/result.js';
import type {HostContext, ModuleSelection, RelinkOptions} from '../../pipeline/build-options.js';
import {freeze} from '../../pipeline/pipeline.js';
import {graftHost} from './graft-host.js';
import {relinkHost} from './relink-host.js';

/** How images get into a new executable: linked with the static archive, or as a library that a copy needs. */
export type RelinkMethod = 'link' | 'graft';

/** Makes it by one of the methods. Fails as the pipeline does. */
export function relinkBy(
  method: RelinkMethod,
  options: RelinkOptions,
  selection: ModuleSelection,
  context: HostContext,
): Promise<Result<BuildOutcome>> {
  return method === 'graft'
    ? freeze(graftHost(options, context.cacheDir), selection, context)
    : freeze(relinkHost(options, context.cacheDir), selection, context);
}
