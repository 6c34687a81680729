import {isAbsolute} from 'node:path';
import type {ActionId, Artifact, Step} from '../model/action.js';
import type {ActionSpec} from '../model/action-spec.js';
import {digestOf, isDigest, type Digest} from '../model/digest.js';
import {parseJson} from '../fs/read-json.js';
import {isBoolean, isNumber, isText, listOf, mapOf, objectWith, schemaOf, textThat} from '../model/shape.js';
import {failure, type Failure} from '../model/failure.js';
import {canonicalJson, type Json} from '../model/canonical-json.js';

/** Raised when the meaning of a key record changes: results of another schema are never used. */
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
  readonly producers: Producers;
}

/** The producers of a key record's inputs, in its order; null for sources. Keys do not depend on them. */
export type Producers = readonly (ActionId | null)[];

/** The two parts of an action's id. */
export function partsOf(id: ActionId): {readonly step: Step; readonly target: string} {
  const colon = id.indexOf(':');
  return {step: id.slice(0, colon) as Step, target: id.slice(colon + 1)};
}

/**
 * The key of an action. The order in which tools, inputs and outputs are declared does not matter.
 * @param known an earlier key record with its key, which saves computing that
 */
export function keyOf(spec: ActionSpec, known?: {readonly key: Digest; readonly record: string}): ActionKey {
  const inputs = [...spec.inputs].sort(
    (a, b) => byNameThenDigest(a, b) || compare(a.producer ?? '', b.producer ?? ''),
  );
  const text = textOf(spec, inputs);
  const key = known?.record === text ? known.key : digestOf(text);
  return {key, text, producers: inputs.map(({producer}) => producer ?? null)};
}

const namedDigest = objectWith<NamedDigest>({name: isText, digest: textThat(isDigest)});
const keyRecord = schemaOf<KeyRecord>(
  objectWith<KeyRecord>({
    schema: isNumber,
    step: isText,
    target: isText,
    tools: listOf(namedDigest),
    arguments: (value) => value !== undefined,
    environment: mapOf(isText),
    inputs: listOf(namedDigest),
    outputs: listOf(objectWith<KeyRecord['outputs'][number]>({name: isText, executable: isBoolean})),
  }),
);

/** Reads the text of a key; undefined if it is damaged or of another version. */
export function recordOf(text: string): KeyRecord | undefined {
  return parseJson(text, keyRecord);
}

/** The canonical JSON of a `KeyRecord`, in the order of its keys: thousands are written in a build that has little else to do. */
function textOf(spec: ActionSpec, inputs: readonly Artifact[]): string {
  const {step, target} = partsOf(spec.id);
  const outputs = spec.outputs
    .map(({name, executable = false}) => ({name, executable}))
    .sort((a, b) => compare(a.name, b.name));
  const tools = [...spec.tools].sort(byNameThenDigest);
  const fields = [
    `"arguments":${isObject(spec.arguments) ? textOfObject(spec.arguments) : canonicalJson(spec.arguments)}`,
    `"environment":${textOfObject(spec.environment)}`,
    `"inputs":[${inputs.map(textOfNamed).join()}]`,
    `"outputs":[${outputs.map(canonicalJson).join()}]`,
    `"schema":${KEY_SCHEMA}`,
    `"step":${canonicalJson(step)}`,
    `"target":${canonicalJson(target)}`,
    `"tools":[${tools.map(textOfNamed).join()}]`,
  ];
  return `{${fields.join()}}`;
}

const textOfNamed = once(({name, digest}: Pick<NamedDigest, 'name' | 'digest'>) =>
  canonicalJson({digest, name}),
);
const textOfObject = once(canonicalJson as (value: object) => string);

/** Many actions share one object: the flags of a compiler, a header. */
function once<T extends object>(write: (object: T) => string): (object: T) => string {
  const texts = new WeakMap<T, string>();
  return (object) => {
    const known = texts.get(object);
    if (known !== undefined) return known;
    const text = write(object);
    texts.set(object, text);
    return text;
  };
}

function isObject(value: Json): value is object & Json {
  return typeof value === 'object' && value !== null;
}

/** The error in the declaration of an action, if there is one: a bug of the host, reported as an ACTION failure. */
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
