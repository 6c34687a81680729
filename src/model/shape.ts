/**
 * The form of JSON that every run reads back: journals, locks, what a run had to read. The schema library costs 50 ms to load
 * and as much again for a journal of 600 modules, so these are checked here, in a few functions; all other JSON goes through zod.
 * Checks have the interface of zod's schemas, so that readers take either.
 */
export interface Schema<T> {
  readonly safeParse: (value: unknown) => {readonly success: boolean; readonly data?: T | undefined};
}

type Check = (value: unknown) => boolean;

/** A schema of values that pass a check. The type is the caller's claim, as with a type predicate. */
export function schemaOf<T>(check: Check): Schema<T> {
  return {safeParse: (value) => (check(value) ? {success: true, data: value as T} : {success: false})};
}

export const isText: Check = (value) => typeof value === 'string';
export const isNumber: Check = (value) => typeof value === 'number';
export const isBoolean: Check = (value) => typeof value === 'boolean';
export const isTrue: Check = (value) => value === true;

/** A text of a certain form. */
export const textThat =
  (check: (text: string) => boolean): Check =>
  (value) =>
    typeof value === 'string' && check(value);

export const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

export const nullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

/** A field that may be missing. */
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

/** A list with so many items, each of its own form. */
export const tuple =
  (...checks: readonly Check[]): Check =>
  (value) =>
    Array.isArray(value) && value.length === checks.length && checks.every((check, i) => check(value[i]));

/** An object of any keys. */
export const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);

/** An object with these fields; it may have others. `T` is what it is used as: every field of it needs a check. */
export function objectWith<T>(fields: {readonly [Name in keyof T]-?: Check}): (value: unknown) => value is T {
  const checks = Object.entries<Check>(fields);
  return (value): value is T => isObject(value) && checks.every(([name, check]) => check(value[name]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
