import {describe, expect, test} from '@jest/globals';
import {build, overlay, relink, verify} from '../../../src/api/api.js';
import {checkOptions} from '../../../src/api/check-options.js';
import {CHOICES, DECLARATIONS, type Kind} from '../../../src/api/option-kinds.js';
import {configName, optionSpec, type OptionName} from '../../../src/cli/args/option-table.js';
import {COMMANDS} from '../../../src/cli/commands.js';

/** Calls a function of the API as JavaScript may. */
const call = (function_: unknown, options?: unknown): Promise<unknown> =>
  (function_ as (options: unknown) => Promise<unknown>)(options);
const places = {python: 'python3', out: 'out'};

describe('wrong options are failures', () => {
  test.each([
    ['no options', undefined, 'the options are not an object'],
    ['a list', [], 'the options are not an object'],
    ['an unknown name', {...places, outt: 'x'}, 'unknown option outt'],
    ['a name that every object has', {...places, toString: 'x'}, 'unknown option toString'],
    ['a path that is a number', {...places, out: 1}, 'the option out must be a string that is not empty'],
    ['an empty path', {...places, cacheDir: ''}, 'cacheDir must be a string'],
    ['a path with a NUL', {...places, out: 'a\0b'}, 'out must be a string'],
    ['null', {...places, buildDir: null}, 'buildDir must be a string'],
    ['one trace', {...places, trace: '-c pass'}, 'trace must be an array'],
    ['a trace that is a number', {...places, trace: [1]}, 'trace must be an array'],
    ['a flag that is text', {...places, force: 'yes'}, 'force must be true or false'],
    ['no jobs', {...places, jobs: 0}, 'jobs must be a whole number of at least 1'],
    ['half a job', {...places, jobs: 1.5}, 'jobs must be a whole number of at least 1'],
    [
      'an unknown precedence',
      {...places, precedence: 'frozen'},
      "precedence must be 'path' or 'frozen-first'",
    ],
    [
      'an environment of numbers',
      {...places, environment: {A: 1}},
      'environment must be an object of strings',
    ],
    ['another signal', {...places, signal: {}}, 'signal must be an AbortSignal'],
    ['a callback that is none', {...places, onEvent: 'log'}, 'onEvent must be a function'],
    ['no place', {python: 'python3'}, 'relink needs the option out'],
    ['a place that is undefined', {...places, out: undefined}, 'relink needs the option out'],
  ])('%s', async (_what, options, message) => {
    expect(await call(relink, options)).toMatchObject({
      ok: false,
      failure: {code: 'USAGE', message: expect.stringContaining(message)},
    });
  });

  test('of every function', async () => {
    const needs = (message: string): Record<string, unknown> => ({
      ok: false,
      failure: {code: 'USAGE', message},
    });
    expect(await call(build, {source: '.'})).toMatchObject(needs('build needs the option buildDir'));
    expect(await call(overlay, {out: '.'})).toMatchObject(needs('overlay needs the option python'));
    expect(await call(verify, {})).toMatchObject(needs('verify needs the option images'));
    expect(await call(verify, {images: 'x', hashSeed: 0})).toMatchObject({failure: {code: 'USAGE'}});
  });

  test('with a suggestion', () => {
    expect(checkOptions('relink', {...places, stdlb: true}, DECLARATIONS.relink)).toMatchObject({
      failure: {hint: 'did you mean stdlib?'},
    });
  });
});

test('relative paths start at the working directory; names of programs are left alone', () => {
  const options = {cwd: '/here', python: 'python3', out: 'a/b', cc: './cc -O2', remoteCache: 'http://x'};
  expect(checkOptions('relink', options, DECLARATIONS.relink)).toMatchObject({
    value: {cwd: '/here', python: 'python3', out: '/here/a/b', cc: '/here/cc -O2', remoteCache: 'http://x'},
  });
  expect(checkOptions('relink', {...options, python: '../py'}, DECLARATIONS.relink)).toMatchObject({
    value: {python: '/py'},
  });
});

test('the working directory and the environment are those of the process unless others are given', () => {
  expect(checkOptions('relink', places, DECLARATIONS.relink)).toMatchObject({
    value: {cwd: process.cwd(), environment: process.env},
  });
  expect(checkOptions('relink', {...places, environment: {}}, DECLARATIONS.relink)).toMatchObject({
    value: {environment: {}},
  });
});

describe('the options are those of the command line', () => {
  /** Only there: files, terminals; what verify needs for releases. */
  const ONLY_COMMAND_LINE = ['config', 'trace-file', 'report', 'json', 'quiet', 'verbose'];
  const ONLY_API = ['cwd', 'environment', 'signal', 'onEvent'];
  const kindOf = (name: OptionName): Kind => {
    const {kind, many, choices} = optionSpec(name);
    if (choices !== undefined && Object.hasOwn(CHOICES, name)) return name as keyof typeof CHOICES;
    return many === true ? 'list' : kind;
  };
  const sorted = (kinds: object): unknown[] => Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1));

  test.each(['build', 'relink', 'overlay'] as const)('of %s', (command) => {
    const {kinds} = DECLARATIONS[command];
    const names = COMMANDS[command]?.options.filter((name) => !ONLY_COMMAND_LINE.includes(name)) ?? [];
    const own = Object.entries(kinds).filter(([name]) => !ONLY_API.includes(name));
    expect(sorted(Object.fromEntries(own))).toEqual(
      sorted(Object.fromEntries(names.map((name) => [configName(name), kindOf(name)]))),
    );
  });

  test('of verify, for interpreters', () => {
    const own = Object.entries(DECLARATIONS.verify.kinds).filter(([name]) => !ONLY_API.includes(name));
    const names = COMMANDS['verify']?.options ?? [];
    for (const [option, kind] of own) {
      const name = names.find((each) => configName(each) === option);
      expect(name && kindOf(name)).toBe(kind);
    }
  });
});
