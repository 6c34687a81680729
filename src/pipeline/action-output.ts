import type {ActionResult, Artifact} from '../model/action.js';

/** An output that the action declares. */
export function output(result: ActionResult, name: string): Artifact {
  const artifact = result.outputs[name];
  if (artifact === undefined) throw new Error(`${result.id} declares no output ${name}`);
  return artifact;
}
