import {z} from 'zod';
import {failure} from '../../model/failure.js';
import {err, ok, type Result} from '../../model/result.js';
import {OPTIONS, configName, optionSpec, type OptionName, type OptionSpec} from './option-table.js';
import {closest} from '../../model/suggest.js';
import type {RawValue} from './option-values.js';

/** The options that a configuration file may hold. */
export const CONFIGURABLE = (Object.keys(OPTIONS) as OptionName[]).filter(
  (name) => optionSpec(name).configurable,
);

/** What an option may be. */
export function valueSchema({kind, many, choices}: OptionSpec): z.ZodType<RawValue> {
  const text = z.string().min(1, 'is empty');
  if (choices !== undefined) return z.enum(choices);
  if (kind === 'flag') return z.boolean();
  if (kind === 'number') return z.int().min(1);
  return many === true ? z.array(text) : text;
}

/** The address of a JSON schema of the file, for editors. */
export const SCHEMA_ADDRESS = z.string();

const SCHEMA = z.strictObject({
  $schema: SCHEMA_ADDRESS.optional(),
  ...Object.fromEntries(
    CONFIGURABLE.map((name) => [configName(name), valueSchema(optionSpec(name)).optional()]),
  ),
});

/** Checks the content of a configuration file; fails with CONFIG, naming each field that is wrong. */
export function checkConfig(
  path: string,
  content: unknown,
): Result<Readonly<Record<string, RawValue | undefined>>> {
  const checked = SCHEMA.safeParse(content);
  if (checked.success) {
    return ok({...checked.data, $schema: undefined});
  }
  const problems = checked.error.issues.flatMap(describe);
  const [first, ...others] = problems;
  return err(
    failure('CONFIG', `${path}: ${first?.text ?? 'is invalid'}`, {
      hint: first?.hint,
      details: others.length === 0 ? undefined : others.map(({text}) => text).join('\n'),
    }),
  );
}

interface Problem {
  readonly text: string;
  readonly hint?: string | undefined;
}

function describe(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const near = closest(key, CONFIGURABLE.map(configName));
      return {text: `unknown option ${key}`, hint: near === undefined ? undefined : `did you mean ${near}?`};
    });
  }
  const field = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  return [{text: `${field === '' ? 'the content' : field}: ${issue.message}`}];
}
