import yargs, {type Argv, type Options} from 'yargs';
import type {CommandSpec} from '../command.js';
import {COMMANDS} from '../commands.js';
import {COMMON_OPTIONS, optionGroup, optionSpec, type OptionName} from './option-table.js';

/** A command line as parsed by yargs. */
export interface Called {
  readonly command: string;
  readonly spec: CommandSpec;
  /** By option name; `_` has the remaining words. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** An error of yargs, with its message (English, as of yargs 18). */
export class UsageError extends Error {}

/**
 * Thrown by the parser when it has found the command: yargs would continue and format the command's help, in case a caller
 * needs it later, which takes longer than the rest of the parsing.
 */
export class CommandFound extends Error {
  constructor(readonly called: Called) {
    super(called.command);
  }
}

/** Makes the parser. `columns` is the width of help. It ends in `CommandFound`, in a `UsageError`, or in help's text. */
export function parserFor(columns: number): Argv {
  const parser = yargs([])
    .scriptName('flashfreeze')
    .usage('flashfreeze COMMAND [options]\n\nMakes Python programs start faster.')
    .epilogue('flashfreeze COMMAND --help describes a command.')
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .locale('en')
    .alias('help', 'h')
    .describe('help', 'show help')
    .version(false)
    .option('version', {type: 'boolean', describe: 'print the version', group: 'Common options:'})
    .group('help', 'Common options:')
    .wrap(columns)
    .exitProcess(false)
    .strict()
    .fail((message: string | null, error: Error | undefined) => {
      // An error without a message of yargs' own comes from our code: a bug, not wrong usage.
      throw message === null && error !== undefined ? error : new UsageError(message ?? '');
    });
  for (const name of COMMON_OPTIONS) parser.option(name, yargsOption(name));
  for (const [command, spec] of Object.entries(COMMANDS)) {
    parser.command({
      command: spec.word === undefined ? command : `${command} [${spec.word.name}]`,
      describe: spec.hidden === true ? false : spec.summary,
      builder: (own: Argv) => declare(own, command, spec),
      handler: (values: Readonly<Record<string, unknown>>) => {
        throw new CommandFound({command, spec, values});
      },
    });
  }
  return parser;
}

function declare(parser: Argv, command: string, {summary, options, word}: CommandSpec): Argv {
  let usage = command;
  if (word !== undefined) {
    usage += ` ${word.choices?.join('|') ?? `[${word.name.toUpperCase()}]`}`;
    parser.positional(word.name, {type: 'string', describe: word.describe});
  }
  parser.usage(`flashfreeze ${usage} [options]\n\n${summary}`).epilogue('').hide('version');
  for (const name of options) parser.option(name, yargsOption(name));
  return parser;
}

function yargsOption(name: OptionName): Options {
  const {kind, many = false, describe, value, choices} = optionSpec(name);
  const group = optionGroup(name);
  if (kind === 'flag') return {type: 'boolean', group, describe};
  return {
    type: 'string',
    array: many,
    requiresArg: true,
    ...(choices === undefined ? {} : {choices}),
    group,
    describe: value === undefined ? describe : `${value}: ${describe}`,
  };
}
