/** Chance that can be had again: a linear congruential generator (Numerical Recipes, 2nd edition, §7.1). */
export interface Chance {
  /** A number from 0 up to, but without, 1. */
  readonly fraction: () => number;
  /** A whole number from 0 up to, but without, `end`. */
  readonly below: (end: number) => number;
  /** One of several things. */
  readonly of: <T>(things: readonly [T, ...T[]]) => T;
}

export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(fraction() * end);
  return {fraction, below, of: (things) => things[below(things.length)] ?? things[0]};
}
