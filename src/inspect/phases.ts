import type {Result} from '../model/result.js';
import type {HostContext} from '../pipeline/build-options.js';

/** Does a part of a run that has a name of its own for people. */
export async function inPhase<T>(
  phase: string,
  {events}: Pick<HostContext, 'events'>,
  work: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const begun = performance.now();
  events.emit({type: 'phase-started', phase});
  const result = await work();
  events.emit({type: 'phase-finished', phase, ms: performance.now() - begun});
  return result;
}
