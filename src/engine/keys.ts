import {isAbsolute} from 'node:path';
import type {ActionId, ActionSpec, Step} from '../model/action.js';
import {digestOf, type Digest} from '../model/digest.js';
import {failure, type Failure} from '../model/failure.js';
import {canonicalJson, type Json} from '../model/json.js';

/** Raised when the meaning of a key record changes: results of another schema are never taken for ours. */
const KEY_SCHEMA = 1;

interface NamedDigest {
  readonly [key: string]: Json;
  readonly name: string;
  readonly digest: Digest;
}

/** Everything that the result of an action depends on, and no path or time of this machine. */
export interface KeyRecord {
  readonly [key: string]: Json;
  readonly schema: number;
  readonly step: string;
  readonly target: string;
  readonly tools: readonly NamedDigest[];
  readonly arguments: Json;
  readonly environment: Readonly<Record<string, string>>;
  readonly inputs: readonly NamedDigest[];
  readonly outputs: readonly {readonly name: string; readonly executable: boolean}[];
}

/** The key of an action with the text that it is the digest of. */
export interface ActionKey {
  readonly key: Digest;
  /** The key record as canonical JSON. */
  readonly text: string;
  readonly record: KeyRecord;
  readonly producers: Producers;
}

/** Which actions made the inputs of a key record, in its order; null for what no action made. No key depends on them. */
export type Producers = readonly (ActionId | null)[];

/** The two parts of an action's id. */
export function partsOf(id: ActionId): {readonly step: Step; readonly target: string} {
  const colon = id.indexOf(':');
  return {step: id.slice(0, colon) as Step, target: id.slice(colon + 1)};
}

/** The key of an action. The order in which tools, inputs and outputs are declared does not matter. */
export function keyOf(spec: ActionSpec): ActionKey {
  const inputs = [...spec.inputs].sort(
    (a, b) => byNameThenDigest(a, b) || compare(a.producer ?? '', b.producer ?? ''),
  );
  const record: KeyRecord = {
    schema: KEY_SCHEMA,
    ...partsOf(spec.id),
    tools: spec.tools.map(({name, digest}) => ({name, digest})).sort(byNameThenDigest),
    arguments: spec.arguments,
    environment: spec.environment,
    inputs: inputs.map(({name, digest}) => ({name, digest})),
    outputs: spec.outputs
      .map(({name, executable}) => ({name, executable: executable ?? false}))
      .sort((a, b) => compare(a.name, b.name)),
  };
  const text = canonicalJson(record);
  return {key: digestOf(text), text, record, producers: inputs.map(({producer}) => producer ?? null)};
}

/** What is wrong with the declaration of an action, if anything: a mistake of the host, told as an ACTION failure. */
export function contractFailure(spec: ActionSpec): Failure | undefined {
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const {name, path} of spec.outputs) {
    if (names.has(name)) return failure('ACTION', `${spec.id} declares the output ${name} twice`);
    if (paths.has(path)) return failure('ACTION', `${spec.id} declares two outputs at ${path}`);
    names.add(name);
    paths.add(path);
  }
  if (names.size === 0) return failure('ACTION', `${spec.id} declares no output`);
  const absolute = [...spec.inputs, ...spec.outputs].find(({name}) => isAbsolute(name));
  if (absolute === undefined) return undefined;
  return failure('ACTION', `${spec.id} has an absolute path as a name: ${absolute.name}`);
}

function byNameThenDigest(
  a: Pick<NamedDigest, 'name' | 'digest'>,
  b: Pick<NamedDigest, 'name' | 'digest'>,
): number {
  return compare(a.name, b.name) || compare(a.digest, b.digest);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
