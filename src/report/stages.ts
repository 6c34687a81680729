import {STEPS} from '../model/action.js';
import type {PhaseSpan, Timeline} from './timeline.js';

/** The stages of a run: its phases, and each step, from the first of its actions to the last. */
export function stagesOf({phases, actions}: Timeline): PhaseSpan[] {
  const steps = STEPS.flatMap((step) => {
    const own = actions.filter((action) => action.step === step && action.outcome !== 'fresh');
    if (own.length === 0) return [];
    const begin = Math.min(...own.map((action) => action.begin));
    const end = Math.max(...own.map((action) => action.begin + action.ms));
    return [{phase: step, begin, ms: end - begin}];
  });
  return [...phases, ...steps];
}
