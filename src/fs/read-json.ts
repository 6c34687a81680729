import {errnoOf, messageOf} from '../model/errno.js';
import type {Schema} from '../model/shape.js';
import {readState} from './regular-file.js';

/** A file of JSON that an earlier run, or another version, wrote. */
export type JsonFile<T> =
  | {readonly kind: 'valid'; readonly value: T}
  | {readonly kind: 'missing'}
  /** The file cannot be read, is not JSON, or has another schema. */
  | {readonly kind: 'invalid'; readonly reason: string};

/** Reads a JSON file, which is ignored if it is invalid. */
export async function readJson<T>(path: string, schema: Schema<T>): Promise<JsonFile<T>> {
  let text: string;
  try {
    text = await readState(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {kind: 'missing'};
    return {kind: 'invalid', reason: messageOf(error)};
  }
  const value = parseJson(text, schema);
  return value === undefined ? {kind: 'invalid', reason: 'unexpected content'} : {kind: 'valid', value};
}

/** The same where only a valid file is of interest. */
export async function readValidJson<T>(path: string, schema: Schema<T>): Promise<T | undefined> {
  const file = await readJson(path, schema);
  return file.kind === 'valid' ? file.value : undefined;
}

/** The value of a JSON text; undefined if it is not JSON or has another schema. */
export function parseJson<T>(text: string, schema: Schema<T>): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return schema.safeParse(value).data;
}
