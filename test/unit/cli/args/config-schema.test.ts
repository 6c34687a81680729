import {Ajv2020} from 'ajv/dist/2020.js';
import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {configJsonSchema} from '../../../../src/cli/args/config-json-schema.js';
import {checkConfig, CONFIGURABLE} from '../../../../src/cli/args/config-schema.js';
import {configName, optionSpec} from '../../../../src/cli/args/option-table.js';

const accepts = new Ajv2020({strict: true}).compile(configJsonSchema());
const isChecked = (content: unknown): boolean => checkConfig('file', content).ok;

/** A value that an option takes. */
function good(name: (typeof CONFIGURABLE)[number]): fc.Arbitrary<unknown> {
  const {kind, many, choices} = optionSpec(name);
  if (choices !== undefined) return fc.constantFrom(...choices);
  if (kind === 'flag') return fc.boolean();
  if (kind === 'number') return fc.integer({min: 1});
  const text = fc.string({minLength: 1});
  return many === true ? fc.array(text) : text;
}

const goodContent = fc.record(
  {
    $schema: fc.string(),
    ...Object.fromEntries(CONFIGURABLE.map((name) => [configName(name), good(name)])),
  },
  {requiredKeys: []},
);
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    0,
    1,
    1.5,
    -1,
    1e15,
    2 ** 53,
    1e300,
    '',
    ' ',
    '\u{10ffff}',
    'path',
    [],
    [''],
    [1],
    {},
    null,
    true,
  ),
);
const keys = [
  ...CONFIGURABLE.map(configName),
  '$schema',
  'remoteUpload',
  'dryRun',
  'build-dir',
  '__proto__',
  'toString',
  '',
];

test('the schema for editors accepts what the checker accepts, and describes each option', () => {
  fc.assert(
    fc.property(goodContent, (content) => {
      expect([isChecked(content), accepts(content)]).toEqual([true, true]);
    }),
  );
  const {properties} = configJsonSchema() as {properties: Record<string, {description?: string}>};
  expect(Object.keys(properties).sort()).toEqual([...CONFIGURABLE.map(configName), '$schema'].sort());
  for (const {description} of Object.values(properties)) expect(description).toMatch(/\w/);
});

test('it rejects what the checker rejects, and nothing else', () => {
  const seen = {true: 0, false: 0};
  const one = fc
    .tuple(fc.constantFrom(...keys), odd)
    .map(([key, value]) => JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`) as object);
  const some = fc.tuple(goodContent, one).map(([content, more]) => ({...content, ...more}));
  fc.assert(
    fc.property(fc.oneof(one, some, odd), (content) => {
      const expected = isChecked(content);
      seen[`${expected}`] += 1;
      expect(accepts(content)).toBe(expected);
    }),
    {numRuns: 3000},
  );
  expect(seen.true).toBeGreaterThan(50);
  expect(seen.false).toBeGreaterThan(50);
});

test('$schema is no option', () => {
  expect(checkConfig('file', {$schema: './config.schema.json', jobs: 2})).toEqual({
    ok: true,
    value: {jobs: 2},
  });
});
