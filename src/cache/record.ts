import {digestOf, isDigest, type Digest} from '../model/digest.js';
import {canonicalJson, type Json} from '../model/json.js';

/** A file that an action made, as the store knows it. */
export interface StoredOutput {
  readonly name: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly executable: boolean;
}

/** The result of an action. */
export interface ActionRecord {
  /** The canonical JSON that the key is the sha256 of; kept so that results can be explained. */
  readonly keyRecord: string;
  readonly outputs: readonly StoredOutput[];
}

const SCHEMA = 1;

/** The record as it lies in the store: one canonical JSON object. */
export function encodeRecord(record: ActionRecord): string {
  const outputs = record.outputs.map(({name, digest, size, executable}) => ({
    name,
    digest,
    size,
    executable,
  }));
  return `{"key":${record.keyRecord},"outputs":${canonicalJson(outputs)},"schema":${SCHEMA}}`;
}

/** Reads a record back. Undefined when the text is damaged, of another schema, or does not belong to `key`. */
export function decodeRecord(text: string, key: Digest): ActionRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value['schema'] !== SCHEMA || !Array.isArray(value['outputs'])) return undefined;
  const keyRecord = canonicalJson((value['key'] ?? null) as Json);
  const outputs: readonly unknown[] = value['outputs'];
  if (digestOf(keyRecord) !== key || !outputs.every(isStoredOutput)) return undefined;
  return {keyRecord, outputs};
}

function isStoredOutput(value: unknown): value is StoredOutput {
  if (!isObject(value)) return false;
  const {name, digest, size, executable} = value;
  return (
    typeof name === 'string' &&
    typeof digest === 'string' &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    typeof executable === 'boolean'
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
