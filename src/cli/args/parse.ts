import {failure} from '../../model/failure.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {COMMANDS} from '../commands.js';
import type {Invocation} from '../command.js';
import {COMMON_OPTIONS, isOptionName, optionSpec, type OptionName} from './option-table.js';
import {CommandFound, parserFor, UsageError, type Called} from './yargs-parser.js';
import {closest} from '../../model/suggest.js';
import {placeValue, readNumber, type RawValue} from './option-values.js';
import type {Words} from './split-argv.js';

/** The meaning of a command line: a command, or a text (help). */
export type Parsed =
  {readonly kind: 'run'; readonly invocation: Invocation} | {readonly kind: 'text'; readonly text: string};

const LIST_HINT = 'flashfreeze --help lists the commands';
const NO_COMMAND = failure('USAGE', 'no command given', {hint: LIST_HINT});

/**
 * Reads a command line; relative paths start at `cwd`, `columns` is the width of help. Fails with USAGE, with a
 * suggestion where one is near.
 */
export async function parseCommandLine(words: Words, cwd: string, columns: number): Promise<Result<Parsed>> {
  const {command, oddFlag, tied} = words;
  if (tied.length === 0) return err(NO_COMMAND);
  if (command !== undefined && !Object.hasOwn(COMMANDS, command)) return unknownCommand(command);
  if (oddFlag !== undefined) return fail('USAGE', `${oddFlag}: the value must be true or false`);
  let called: Called | undefined;
  let text = '';
  try {
    await parserFor(columns).parseAsync([...tied], {}, (_error, _values, output) => {
      text = output;
    });
  } catch (error) {
    if (error instanceof UsageError) return translate(error.message, words);
    if (!(error instanceof CommandFound)) throw error;
    called = error.called;
  }
  if (text !== '') return ok({kind: 'text', text});
  if (called === undefined) return err(NO_COMMAND);
  const invocation = interpret(called, cwd);
  return invocation.ok ? ok({kind: 'run', invocation: invocation.value}) : invocation;
}

function unknownCommand(word: string): Result<never> {
  const visible = Object.keys(COMMANDS).filter((name) => COMMANDS[name]?.hidden !== true);
  const near = closest(word, visible);
  return fail('USAGE', `unknown command ${word}`, {
    hint: near === undefined ? LIST_HINT : didYouMean(near),
  });
}

function didYouMean(word: string): string {
  return `did you mean ${word}?`;
}

/** Translates an error of yargs, and adds a suggestion. */
function translate(message: string, {command, tied}: Words): Result<never> {
  const [, what, names = ''] = /^([^:]*): (.*)$/s.exec(message) ?? [];
  if (what === 'Not enough arguments following') return fail('USAGE', `--${names} needs a value`);
  if (what !== 'Unknown argument' && what !== 'Unknown arguments') {
    return fail('USAGE', message.replaceAll('\n', ' '));
  }
  const name = names.split(', ')[0] ?? '';
  const spec = command === undefined ? undefined : COMMANDS[command];
  const helpHint = command === undefined ? LIST_HINT : `flashfreeze ${command} --help lists its options`;
  if (!tied.some((word) => word.startsWith(`--${name}`))) {
    const option = name.length === 1 && tied.some((word) => /^-[^-]/.test(word));
    if (option) return fail('USAGE', `unknown option -${name}`, {hint: helpHint});
    const example = spec?.word?.example;
    const hint =
      example === undefined
        ? helpHint
        : `quote it, so that it is one word: flashfreeze ${command ?? ''} ${example}`;
    return fail('USAGE', `unexpected argument ${name}`, {hint});
  }
  const near = closest(name, [...(spec?.options ?? []), ...COMMON_OPTIONS]);
  const where = command === undefined ? '' : ` for ${command}`;
  return fail('USAGE', `unknown option --${name}${where}`, {
    hint: near === undefined ? (othersWith(name) ?? helpHint) : didYouMean(`--${near}`),
  });
}

/** A hint that names the commands that have the option, if any. */
function othersWith(name: string): string | undefined {
  if (!isOptionName(name)) return undefined;
  const commands = Object.entries(COMMANDS).filter(
    ([, {hidden, options}]) => hidden !== true && options.includes(name),
  );
  return `it is an option of ${commands.map(([command]) => command).join(', ')}`;
}

/** Checks the values and gives them the types that the options declare. */
function interpret({command, spec, values}: Called, cwd: string): Result<Invocation> {
  const extra = values['_'];
  const tooMuch = Array.isArray(extra) ? extra.map(String)[1] : undefined;
  if (tooMuch !== undefined) return fail('USAGE', `unexpected argument ${tooMuch}`);
  const word = spec.word && values[spec.word.name];
  const {choices} = spec.word ?? {};
  if (choices && (typeof word !== 'string' || !choices.includes(word))) {
    const near = typeof word === 'string' ? closest(word, choices) : undefined;
    const message =
      typeof word === 'string' ? `${command}: unknown argument ${word}` : `${command} needs an argument`;
    return fail('USAGE', message, {
      hint: near === undefined ? `expected one of ${choices.join(', ')}` : didYouMean(near),
    });
  }
  const options: Record<string, RawValue> = {};
  for (const name of spec.options) {
    const value = readValue(name, values[name], cwd);
    if (!value.ok) return value;
    if (value.value !== undefined) options[name] = value.value;
  }
  if (options['quiet'] === true && options['verbose'] === true) {
    return fail('USAGE', '--quiet and --verbose cannot be combined');
  }
  const text = typeof word === 'string' ? word : undefined;
  // `readValue` made every value as its option declares it.
  return ok({command, word: text, options});
}

function readValue(name: OptionName, given: unknown, cwd: string): Result<RawValue | undefined> {
  const {kind, many = false} = optionSpec(name);
  if (given === undefined || typeof given === 'boolean') return ok(given);
  const texts = (Array.isArray(given) ? given : [given]).map(String);
  const isEmpty = (text: string): boolean => (kind === 'command' ? text.trim() : text) === '';
  if (texts.some(isEmpty)) return fail('USAGE', `--${name} needs a value that is not empty`);
  if (many) return ok(texts);
  // Given twice, the last one counts, so that a wrapper's options can be overridden.
  const text = texts.at(-1);
  if (text === undefined) return ok(undefined);
  if (kind !== 'number') return ok(placeValue(name, text, cwd));
  const number = readNumber(text);
  return number === undefined
    ? fail('USAGE', `--${name} needs a whole number of at least 1, not ${text}`)
    : ok(number);
}
