import {digestOf, isDigest, type Digest} from '../model/digest.js';
import {canonicalJson, type Json} from '../model/canonical-json.js';
import type {Seal} from './seal.js';

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

const SCHEMA = 2;
/** Written by an earlier version: unusable, but not damaged. */
const OLDER_SCHEMA = 1;

/** The record as stored: one canonical JSON object, with a digest over the rest of it, and perhaps the mark of its user. */
export function encodeRecord(record: ActionRecord, seal?: Pick<Seal, 'of'>): string {
  const outputs = record.outputs.map(({name, digest, size, executable}) => ({
    name,
    digest,
    size,
    executable,
  }));
  const content = canonicalJson(outputs);
  const sum = sumOf(record.keyRecord, content);
  const mark = seal === undefined ? '' : `"seal":"${seal.of(sum)}",`;
  return `{"key":${record.keyRecord},"outputs":${content},"schema":${SCHEMA},${mark}"sum":"${sum}"}`;
}

/** Whether a text that `decodeRecord` accepts has the mark of this user. */
export function isSealed(text: string, seal: Pick<Seal, 'isOf'> | undefined): boolean {
  const found = /,"seal":"([0-9a-f]{64})","sum":"([0-9a-f]{64})"\}$/.exec(text);
  return found?.[1] !== undefined && seal?.isOf(found[2] as Digest, found[1]) === true;
}

function sumOf(keyRecord: string, outputs: string): Digest {
  return digestOf(`${keyRecord}\n${outputs}`);
}

/** Reads a record back. Undefined when the text is damaged or does not belong to `key`; `older` from an earlier version. */
export function decodeRecord(text: string, key: Digest): ActionRecord | 'older' | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !Array.isArray(value['outputs'])) return undefined;
  const keyRecord = canonicalJson((value['key'] ?? null) as Json);
  const outputs: readonly unknown[] = value['outputs'];
  if (digestOf(keyRecord) !== key || !outputs.every(isStoredOutput)) return undefined;
  if (value['schema'] === OLDER_SCHEMA && value['sum'] === undefined) return 'older';
  const sum = sumOf(keyRecord, canonicalJson(value['outputs'] as Json));
  if (value['schema'] !== SCHEMA || value['sum'] !== sum) return undefined;
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
