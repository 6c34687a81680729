import type {Secrecy} from '../../model/action.js';
import type {ActionSpec} from '../../model/action-spec.js';

/** Who must not get what an action makes: who must not get all that it reads. */
export function secrecyOf({secrecy, inputs}: Pick<ActionSpec, 'secrecy' | 'inputs'>): Secrecy | undefined {
  const all = [secrecy, ...inputs.map((input) => input.secrecy)];
  return all.includes('private') ? 'private' : all.includes('local') ? 'local' : undefined;
}
