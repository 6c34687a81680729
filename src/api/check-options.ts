import {resolve} from 'node:path';
import {resolveCommand, resolveProgram} from '../exec/tools.js';
import {fail, ok, type Result} from '../model/result.js';
import {closest} from '../model/suggest.js';
import type {CallOptions} from './api-options.js';
import {CHOICES, type Declaration, type Kind} from './option-kinds.js';

/** Options with their paths absolute, and with the defaults of what every function takes. */
export type Checked<T> = T & {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/**
 * Checks options as a JavaScript caller may pass them: the names, and the type of each value. Options that are undefined
 * count as left out. Fails with USAGE.
 */
export function checkOptions<T extends CallOptions>(
  name: string,
  given: unknown,
  {kinds, required}: Declaration<T>,
): Result<Checked<T>> {
  if (!isRecord(given)) return fail('USAGE', `${name}: the options are not an object`);
  const cwd = typeof given['cwd'] === 'string' ? resolve(given['cwd']) : process.cwd();
  const checked: Record<string, unknown> = {cwd, environment: process.env};
  for (const [option, value] of Object.entries(given)) {
    if (!Object.hasOwn(kinds, option)) return unknownOption(name, option, Object.keys(kinds));
    if (value === undefined) continue;
    const kind = kinds[option as keyof T];
    const wanted = expected(kind, value);
    if (wanted !== undefined) return fail('USAGE', `${name}: the option ${option} must be ${wanted}`);
    checked[option] = place(kind, value, cwd);
  }
  const missing = required.find((option) => checked[option] === undefined);
  if (missing !== undefined) return fail('USAGE', `${name} needs the option ${missing}`);
  // Each value was checked against the declaration of T.
  return ok(checked as unknown as Checked<T>);
}

function unknownOption(name: string, option: string, known: readonly string[]): Result<never> {
  const near = closest(option, known);
  return fail('USAGE', `${name}: unknown option ${option}`, {
    hint: near === undefined ? `the options are ${known.join(', ')}` : `did you mean ${near}?`,
  });
}

/** The expected type of a value of this kind; undefined if the value has it. */
function expected(kind: Kind, value: unknown): string | undefined {
  const is = (right: boolean, wanted: string): string | undefined => (right ? undefined : wanted);
  switch (kind) {
    case 'path':
    case 'program':
    case 'command':
    case 'text':
      return is(isText(value), 'a string that is not empty');
    case 'list':
      return is(Array.isArray(value) && value.every(isText), 'an array of strings that are not empty');
    case 'flag':
      return is(typeof value === 'boolean', 'true or false');
    case 'number':
      return is(Number.isSafeInteger(value) && Number(value) >= 1, 'a whole number of at least 1');
    case 'environment':
      return is(
        isRecord(value) &&
          Object.values(value).every((each) => each === undefined || typeof each === 'string'),
        'an object of strings',
      );
    case 'signal':
      return is(isSignal(value), 'an AbortSignal');
    case 'callback':
      return is(typeof value === 'function', 'a function');
    case 'precedence':
    case 'method':
    case 'linker': {
      const choices: readonly unknown[] = CHOICES[kind];
      return is(choices.includes(value), choices.map((each) => `'${String(each)}'`).join(' or '));
    }
  }
}

function place(kind: Kind, value: unknown, cwd: string): unknown {
  if (typeof value !== 'string') return value;
  if (kind === 'path') return resolve(cwd, value);
  if (kind === 'program') return resolveProgram(value, cwd);
  return kind === 'command' ? resolveCommand(value, cwd) : value;
}

/** No program can be given a NUL in an argument or a path. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSignal(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value['aborted'] === 'boolean' &&
    typeof value['addEventListener'] === 'function' &&
    typeof value['removeEventListener'] === 'function'
  );
}
