import type {ActionId, ActionResult} from '../model/action.js';
import type {ActionSpec} from '../model/action-spec.js';
import {failure, type Failure} from '../model/failure.js';
import {fail, type Result} from '../model/result.js';
import {explainDifference} from './explanations/key-difference.js';
import type {ActionKey} from './keys.js';

/** The requests to the engine in this run. */
export interface Requests {
  /**
   * Calls `run` for the first request of an action; further ones with the same key share its result. Fails with ACTION when
   * the same action is declared in another way.
   */
  readonly share: (
    spec: ActionSpec,
    key: ActionKey,
    run: () => Promise<Result<ActionResult>>,
  ) => Promise<Result<ActionResult>>;
  /**
   * Reserves the output paths of an action. Fails if another action has one: they would overwrite each other's outputs in
   * every build.
   */
  readonly claimOutputs: (spec: ActionSpec) => Failure | undefined;
  /** Every requested action. */
  readonly specs: () => readonly ActionSpec[];
}

interface Request {
  readonly spec: ActionSpec;
  readonly key: ActionKey;
  readonly result: Promise<Result<ActionResult>>;
}

export function createRequests(): Requests {
  const requests = new Map<ActionId, Request>();
  const writers = new Map<string, ActionId>();
  return {
    share(spec, key, run) {
      const earlier = requests.get(spec.id);
      if (earlier === undefined) {
        const result = run();
        requests.set(spec.id, {spec, key, result});
        return result;
      }
      if (earlier.key.key === key.key) return earlier.result;
      const differences = explainDifference(earlier.key, key).map(({text}) => text);
      const message = `${spec.id} was requested twice in one build, with different declarations`;
      return Promise.resolve(fail('ACTION', message, {details: differences.join('\n')}));
    },
    claimOutputs({id, outputs}) {
      for (const {path} of outputs) {
        const other = writers.get(path);
        if (other !== undefined) return failure('ACTION', `${id} and ${other} both write ${path}`);
        writers.set(path, id);
      }
      return undefined;
    },
    specs: () => [...requests.values()].map(({spec}) => spec),
  };
}
