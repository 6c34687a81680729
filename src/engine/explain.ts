import {canonicalJson, type Json} from '../model/json.js';
import type {KeyRecord} from './keys.js';

/**
 * Why two key records of one action differ: one line for each difference, in words of the build (`input
 * Lib/json/decoder.py changed`). Empty exactly when the records are equal.
 */
export function explainDifference(before: KeyRecord, now: KeyRecord): string[] {
  if (before.schema !== now.schema) return ['made by another version of flashfreeze'];
  const reasons = [
    ...differingNames('input', digests(before.inputs), digests(now.inputs)),
    ...differingNames('tool', digests(before.tools), digests(now.tools)),
    ...differingFields('arguments', before.arguments, now.arguments),
    ...differingFields('environment', before.environment, now.environment),
    ...differingNames('output', outputs(before), outputs(now)),
  ];
  if (reasons.length > 0 || canonicalJson(before) === canonicalJson(now)) return reasons;
  return ['declared in another way'];
}

/** One line out of several reasons: the first, and how many more there are. */
export function summarise(reasons: readonly string[]): string {
  const [first = 'unknown reason', ...more] = reasons;
  return more.length === 0 ? first : `${first} (and ${more.length} more)`;
}

/** A name that is declared more than once stands for all of its digests. */
function digests(items: readonly {readonly name: string; readonly digest: string}[]): Map<string, string> {
  const byName = new Map<string, string>();
  for (const {name, digest} of items) byName.set(name, (byName.get(name) ?? '') + digest);
  return byName;
}

function outputs(record: KeyRecord): Map<string, string> {
  return new Map(record.outputs.map(({name, executable}) => [name, String(executable)]));
}

function differingNames(
  kind: string,
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): string[] {
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  return names.flatMap((name) => {
    if (before.get(name) === now.get(name)) return [];
    if (!before.has(name)) return [`${kind} ${name} is new`];
    return [now.has(name) ? `${kind} ${name} changed` : `${kind} ${name} is gone`];
  });
}

function differingFields(kind: string, before: Json, now: Json): string[] {
  const paths = differingPaths(before, now, '');
  if (paths.length === 0) return [];
  return paths.includes('') ? [`${kind} changed`] : [`${kind} changed: ${paths.join(', ')}`];
}

/** The dotted paths of the innermost fields in which two values differ; the empty path for the values themselves. */
function differingPaths(before: Json, now: Json, path: string): string[] {
  if (!isRecord(before) || !isRecord(now)) return canonicalJson(before) === canonicalJson(now) ? [] : [path];
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    const inner = path === '' ? name : `${path}.${name}`;
    const [old, current] = [before[name], now[name]];
    if (old === undefined || current === undefined) return old === current ? [] : [inner];
    return differingPaths(old, current, inner);
  });
}

function isRecord(value: Json): value is {readonly [key: string]: Json} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
