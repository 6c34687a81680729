import {z} from 'zod';
import {CONFIGURABLE, SCHEMA_ADDRESS, valueSchema} from './config-schema.js';
import {configName, optionSpec} from './option-table.js';

/**
 * The JSON schema of `flashfreeze.config.json`, for editors: it is made of the schemas that check the file. `scripts/bundle.mjs`
 * writes it to `dist/config.schema.json`.
 */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const options = CONFIGURABLE.map((name) => {
    const spec = optionSpec(name);
    return [configName(name), valueSchema(spec).optional().describe(spec.describe)] as const;
  });
  const schema = z.strictObject({
    $schema: SCHEMA_ADDRESS.optional().describe('the address of this schema'),
    ...Object.fromEntries(options),
  });
  return {title: 'The configuration file of flashfreeze', ...z.toJSONSchema(schema)};
}
