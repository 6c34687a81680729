import {type Result, ok} from '../model/result.js';

/** All values, or the first failure. */
export function collect<T>(results: readonly Result<T>[]): Result<readonly T[]> {
  const values: T[] = [];
  for (const result of results) {
    if (!result.ok) return result;
    values.push(result.value);
  }
  return ok(values);
}
