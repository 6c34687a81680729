import type {CommandSpec, CommandWord} from '../command.js';
import {COMMON_OPTIONS, OPTIONS, namesProgram, optionSpec, type OptionName} from '../args/option-table.js';

/** What a shell can offer where a value is expected: these words, or names of its own kinds; nothing for free text. */
export type Completions = readonly string[] | 'files' | 'directories' | 'programs' | 'nothing';

export interface CompletedOption {
  /** With its dashes. */
  readonly name: string;
  readonly describe: string;
  /** How its value is called; undefined for a flag. */
  readonly value: string | undefined;
  /** May be given more than once. */
  readonly isRepeatable: boolean;
  readonly completions: Completions;
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  /** The argument after the command, if it takes one. */
  readonly word: {readonly name: string; readonly completions: Completions} | undefined;
  readonly options: readonly CompletedOption[];
}

const HELP: CompletedOption = {...flag('--help', 'print the usage'), completions: 'nothing'};
const VERSION: CompletedOption = {...flag('--version', 'print the version'), completions: 'nothing'};

/** The commands that help lists, with their options. */
export function completedCommands(
  commands: Readonly<Record<string, CommandSpec>>,
): readonly CompletedCommand[] {
  return Object.entries(commands).flatMap(([name, {summary, options, word, hidden}]) => {
    if (hidden === true) return [];
    const completed = word && {name: word.name, completions: completionsOf(word)};
    return [{name, summary, word: completed, options: [...options.map(completedOption), HELP]}];
  });
}

/** The options that may stand before the command. */
export function generalOptions(): readonly CompletedOption[] {
  return [...COMMON_OPTIONS.map(completedOption), HELP, VERSION];
}

/** Every option of every command. */
export function allOptions(): readonly CompletedOption[] {
  return (Object.keys(OPTIONS) as OptionName[]).map(completedOption);
}

function completionsOf({completions, choices}: CommandWord): Completions {
  return completions ?? choices ?? 'nothing';
}

function completedOption(name: OptionName): CompletedOption {
  const spec = optionSpec(name);
  const {kind, many = false, choices, value = 'VALUE', describe} = spec;
  if (kind === 'flag') return flag(`--${name}`, describe);
  const option = {name: `--${name}`, describe, value, isRepeatable: many};
  if (choices !== undefined) return {...option, completions: choices};
  if (namesProgram(spec)) return {...option, completions: 'programs'};
  if (kind === 'path') return {...option, completions: value === 'DIR' ? 'directories' : 'files'};
  return {...option, completions: 'nothing'};
}

function flag(name: string, describe: string): CompletedOption {
  return {name, describe, value: undefined, isRepeatable: false, completions: ['true', 'false']};
}
