import type {Row} from './results.js';

/** Two sides by name: the one that is judged, and its baseline. */
export type Pair = readonly [judged: string, baseline: string];

/** Where there are two sides only. */
export const FROZEN: Pair = ['frozen', 'unmodified'];

/** Undefined where one of the two was not measured. */
export function ratioOf(
  {sides}: Row,
  [judged, baseline]: Pair,
  quantity: 'wall' | 'instructions' | 'faults' | 'pss',
): number | undefined {
  const [above, below] = [judged, baseline].map((name) => {
    const value = sides[name]?.[quantity];
    return typeof value === 'object' ? value?.median : value;
  });
  return above === undefined || below === undefined ? undefined : above / below;
}
