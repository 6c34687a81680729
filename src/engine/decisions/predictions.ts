import type {ActionSpec} from '../../model/action-spec.js';
import {digestOf, type Digest} from '../../model/digest.js';
import type {Decision} from './decide.js';
import type {Done} from '../execution/perform.js';

/** What a dry run knows about results that do not exist yet. */
export interface Predictions {
  /** The predicted outputs of an action. Outputs that only its execution could determine get a digest that stands for "unknown". */
  readonly predict: (spec: ActionSpec, decision: Exclude<Decision, {readonly kind: 'fresh'}>) => Done;
  /** Whether a digest stands for "unknown". */
  readonly isPending: (digest: Digest) => boolean;
}

export function createPredictions(): Predictions {
  const pending = new Set<Digest>();
  return {
    isPending: (digest) => pending.has(digest),
    predict(spec, decision) {
      if (decision.kind === 'found') {
        const {origin, record} = decision.found;
        return {
          outcome: origin,
          outputs: Object.fromEntries(record.outputs.map(({name, digest}) => [name, digest])),
          bytes: record.outputs.reduce((sum, {size}) => sum + size, 0),
        };
      }
      const outputs: Record<string, Digest> = {};
      for (const {name} of spec.outputs) {
        const known = decision.expected?.[name]?.digest;
        const digest = known ?? digestOf(`not known yet: ${spec.id} ${name}`);
        if (known === undefined) pending.add(digest);
        outputs[name] = digest;
      }
      return {outcome: 'executed', outputs, bytes: undefined};
    },
  };
}
