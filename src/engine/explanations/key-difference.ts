import type {Digest} from '../../model/digest.js';
import {canonicalJson, type Json} from '../../model/canonical-json.js';
import type {Cause} from '../causes.js';
import {type KeyRecord, type Producers, recordOf} from '../keys.js';

/** A key record as canonical JSON, with the actions that made its inputs where they are known. */
export interface Declared {
  readonly text: string;
  readonly producers?: Producers | undefined;
}

/**
 * Why two key records of one action differ: one cause for each difference, as text (`input
 * Lib/json/decoder.py changed`). Empty exactly when the records are equal and nothing is pending.
 * @param isPending whether a digest stands for an input that does not exist yet (in a dry run): it may change
 */
export function explainDifference(
  before: Declared,
  now: Declared,
  isPending: (digest: Digest) => boolean = () => false,
): Cause[] {
  const [old, current] = [recordOf(before.text), recordOf(now.text)];
  if (old === undefined || current === undefined || old.schema !== current.schema)
    return [{text: 'made by another version of flashfreeze'}];
  const byProducer = before.producers !== undefined && now.producers !== undefined;
  const [oldInputs, currentInputs] = byProducer
    ? [inputsOf(old, before.producers), inputsOf(current, now.producers)]
    : [inputsOf(old), inputsOf(current)];
  const causes = [
    ...differingInputs(oldInputs, currentInputs, isPending),
    ...differingNames('tool', digests(old.tools), digests(current.tools)),
    ...differingFields('arguments', old.arguments, current.arguments),
    ...differingFields('environment', old.environment, current.environment),
    ...differingNames('output', outputs(old), outputs(current)),
  ];
  if (causes.length > 0 || before.text === now.text) return causes;
  return [{text: 'its declaration changed'}];
}

interface Input {
  readonly label: string;
  readonly producer: Cause['producer'];
  readonly digests: Digest[];
}

/** Inputs by their display names: the action that made them, else their own name. */
function inputsOf(record: KeyRecord, producers: Producers = []): Map<string, Input> {
  const inputs = new Map<string, Input>();
  record.inputs.forEach(({name, digest}, index) => {
    const producer = producers[index] ?? undefined;
    const label = producer ?? name;
    const known = inputs.get(label);
    if (known === undefined) inputs.set(label, {label, producer, digests: [digest]});
    else known.digests.push(digest);
  });
  return inputs;
}

function differingInputs(
  old: ReadonlyMap<string, Input>,
  current: ReadonlyMap<string, Input>,
  isPending: (digest: Digest) => boolean,
): Cause[] {
  const labels = [...new Set([...old.keys(), ...current.keys()])].sort();
  return labels.flatMap((label) => {
    const [was, is] = [old.get(label), current.get(label)];
    if (is === undefined) return [{text: `input ${label} is gone`}];
    if (is.digests.some(isPending)) return [cause(is, was === undefined ? 'is new' : 'may change')];
    if (was === undefined) return [cause(is, 'is new')];
    return was.digests.join() === is.digests.join() ? [] : [cause(is, 'changed')];
  });
}

function cause({label, producer}: Input, what: string): Cause {
  return {text: `input ${label} ${what}`, ...(producer === undefined ? {} : {producer})};
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
): Cause[] {
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  return names.flatMap((name) => {
    if (before.get(name) === now.get(name)) return [];
    if (!before.has(name)) return [{text: `${kind} ${name} is new`}];
    return [{text: now.has(name) ? `${kind} ${name} changed` : `${kind} ${name} is gone`}];
  });
}

function differingFields(kind: string, before: Json, now: Json): Cause[] {
  const paths = differingPaths(before, now, '');
  if (paths.length === 0) return [];
  const details = paths.includes('') ? differingItems(before, now) : shortList(paths);
  return [{text: `${kind} changed${details === '' ? '' : `: ${details}`}`}];
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

/** The words added to a list, such as the flags of a compiler, and those removed from it. */
function differingItems(before: Json, now: Json): string {
  if (!isWords(before) || !isWords(now)) return '';
  const come = now.filter((word) => !before.includes(word)).map((word) => `${word} is new`);
  const gone = before.filter((word) => !now.includes(word)).map((word) => `${word} is gone`);
  return come.length + gone.length === 0 ? 'in their order or number' : shortList([...come, ...gone]);
}

const SHOWN = 5;

function shortList(items: readonly string[]): string {
  const more = items.length - SHOWN;
  return items.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function isRecord(value: Json): value is {readonly [key: string]: Json} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWords(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
