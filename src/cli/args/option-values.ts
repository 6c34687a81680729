import {resolve} from 'node:path';
import {resolveCommand, resolveProgram} from '../../exec/tools.js';
import {optionSpec, type OptionName, type OptionSpec} from './option-table.js';

/** A value as it was written, after its type was checked. */
export type RawValue = string | number | boolean | readonly string[];

/** Resolves a relative path against the working directory, or the directory of the configuration file. */
export function placeValue(name: OptionName, value: RawValue, base: string): RawValue {
  const spec: OptionSpec = optionSpec(name);
  if (typeof value !== 'string') return value;
  if (spec.kind === 'path') return resolve(base, value);
  if (spec.kind === 'program') return resolveProgram(value, base);
  return spec.kind === 'command' ? resolveCommand(value, base) : value;
}

/** A whole number of at least 1, or undefined. */
export function readNumber(text: string): number | undefined {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return number >= 1 ? number : undefined;
}
