import {isOptionName, optionSpec, type OptionName, type OptionValues} from './option-table.js';

/** A command line, prepared for yargs. */
export interface Words {
  /** The words with every value tied to its option. */
  readonly tied: readonly string[];
  /** The first word that is neither an option nor the value of one. */
  readonly command: string | undefined;
  /** Whether JSON output is requested, even if the rest of the command line is invalid. */
  readonly json: boolean;
  /** A flag with a value that is neither true nor false, as it was typed. */
  readonly oddFlag: string | undefined;
}

/**
 * Ties values to their options (`--trace '-c pass'` -> `--trace="-c pass"`). yargs takes a value that begins with a dash
 * for another option; and of a list's values in this form it takes a pair of quotes away, so those get a pair more.
 */
export function readWords(argv: readonly string[]): Words {
  const tied: string[] = [];
  let command: string | undefined;
  let json = false;
  let oddFlag: string | undefined;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') {
      tied.push(...argv.slice(index));
      break;
    }
    const [, name = '', , given] = /^--([^=]+)(=(.*))?$/s.exec(word) ?? [];
    if (!isOptionName(name)) {
      if (!word.startsWith('-')) command ??= word;
      tied.push(word);
      continue;
    }
    const {kind, many = false, free = false} = optionSpec(name);
    if (kind === 'flag') {
      if (given !== undefined && given !== 'true' && given !== 'false') oddFlag ??= word;
      if (name === 'json') json = given !== 'false';
      tied.push(word);
      continue;
    }
    const next = argv[index + 1];
    const follows = given === undefined && next !== undefined && (free || !next.startsWith('-'));
    const value = follows ? next : given;
    if (follows) index += 1;
    if (value === undefined) tied.push(word);
    else tied.push(many ? `--${name}="${value}"` : `--${name}=${value}`);
  }
  return {tied, command, json, oddFlag};
}

/** The words that give a command these options: what `readWords` and the parser make the same values of. */
export function wordsOf(options: OptionValues, names: readonly OptionName[]): string[] {
  return names.flatMap((name) => {
    const value = options[name];
    if (value === undefined) return [];
    return [value].flat().map((each) => `--${name}=${String(each)}`);
  });
}
