/**
 * The differ: what a case (`cases/*.py`) observes in one interpreter against what it observes in another.
 */
import {isDeepStrictEqual} from 'node:util';
import type {Run} from '../../support/rig.js';
import type {FrozenHost} from './frozen.js';
import {type KnownDifference, knownDifferences} from './known-differences.js';
import type {Value} from './value.js';

export interface Observation {
  readonly what: string;
  readonly value: Value;
}

export interface Difference {
  readonly what: string;
  /** Where in the value: `.frames[2]`. */
  readonly where: string;
  readonly unmodified: Value | undefined;
  readonly frozen: Value | undefined;
}

/** What a case printed: a line of JSON for each observation, and other lines as they are. */
export function observationsOf({stdout, stderr, exitCode}: Run, executable: string): readonly Observation[] {
  const lines = stdout
    .replaceAll(executable, '<python>')
    .split('\n')
    .filter((line) => line !== '');
  return [
    ...lines.map((line) => {
      if (!line.startsWith('["')) return {what: 'output', value: line};
      const [what, value] = JSON.parse(line) as [string, Value];
      return {what, value};
    }),
    {what: 'standard error', value: stderr.replaceAll(executable, '<python>')},
    {what: 'exit code', value: exitCode},
  ];
}

/** What is different, but for the known differences. */
export function differences(
  {host, name}: {readonly host: FrozenHost; readonly name: string},
  unmodified: readonly Observation[],
  frozen: readonly Observation[],
): readonly Difference[] {
  const found: Difference[] = [];
  for (let i = 0; i < Math.max(unmodified.length, frozen.length); i++) {
    const [before, after] = [unmodified[i], frozen[i]];
    if (before?.what !== after?.what) {
      // From here on, one side tells of other things.
      const where = `observation ${i}`;
      return [...found, {what: where, where, unmodified: before?.what, frozen: after?.what}];
    }
    if (before === undefined || after === undefined) break;
    const known = knownDifferences.filter(
      (each) => each.case === name && (each.host ?? host) === host && each.what.test(before.what),
    );
    found.push(...within(before.what, '', normalise(before.value, known), normalise(after.value, known)));
  }
  return found;
}

function normalise(value: Value, known: readonly KnownDifference[]): Value {
  return known.reduce((normal, {equalAs}) => equalAs(normal), value);
}

function* within(what: string, where: string, unmodified: Value, frozen: Value): Generator<Difference> {
  if (isDeepStrictEqual(unmodified, frozen)) return;
  if (Array.isArray(unmodified) && Array.isArray(frozen) && unmodified.length === frozen.length) {
    for (const [i, each] of (unmodified as readonly Value[]).entries())
      yield* within(what, `${where}[${i}]`, each, (frozen as readonly Value[])[i] ?? null);
    return;
  }
  if (isRecord(unmodified) && isRecord(frozen)) {
    for (const key of new Set([...Object.keys(unmodified), ...Object.keys(frozen)]))
      yield* within(what, `${where}.${key}`, unmodified[key] ?? null, frozen[key] ?? null);
    return;
  }
  yield {what, where, unmodified, frozen};
}

function isRecord(value: Value): value is {readonly [key: string]: Value} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
