import {failure, type Failure, type FailureCode} from './failure.js';

/** What a function that can fail returns. A throw is a bug. */
export type Result<T, F = Failure> = Ok<T> | Err<F>;
export interface Ok<T> {
  readonly ok: true;
  readonly value: T;
}
export interface Err<F = Failure> {
  readonly ok: false;
  readonly failure: F;
}

export function ok(): Ok<void>;
export function ok<T>(value: T): Ok<T>;
export function ok(value?: unknown): Ok<unknown> {
  return {ok: true, value};
}

export function err<F>(reason: F): Err<F> {
  return {ok: false, failure: reason};
}

/** Short for `err(failure(code, message, extra))`. */
export function fail(code: FailureCode, message: string, extra: Parameters<typeof failure>[2] = {}): Err {
  return err(failure(code, message, extra));
}

/** All values, or the first failure. */
export function collectResults<T>(results: readonly Result<T>[]): Result<readonly T[]> {
  const values: T[] = [];
  for (const result of results) {
    if (!result.ok) return result;
    values.push(result.value);
  }
  return ok(values);
}
