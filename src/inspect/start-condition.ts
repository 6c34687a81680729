import {type PythonCommand, pythonWords} from '../cpython/interpreter/python-command.js';
import {NO_BYTECODE} from '../cpython/interpreter/run-script.js';

/** The states of the machine in which starts are measured. */
export const START_CONDITIONS = ['warm', 'no-bytecode', 'cold'] as const;
/**
 * - `warm`: with `.pyc` files, and everything in the page cache
 * - `no-bytecode`: without `.pyc` files, as in most containers, so that each start compiles its modules
 * - `cold`: with `.pyc` files, and nothing of the program in the page cache
 */
export type StartCondition = (typeof START_CONDITIONS)[number];

/** Where the `.pyc` files of measured starts lie: not in the directories of the user. */
export interface BytecodePlaces {
  /** Filled by a first start. */
  readonly filled: string;
  /** Always empty. */
  readonly empty: string;
}

/**
 * What follows the interpreter on a command line under a condition. Options of the interpreter hold with its -I and -E, too; variables
 * do not, but reach the processes that the program starts.
 */
export function conditionWords(
  command: PythonCommand,
  condition: StartCondition,
  {filled, empty}: BytecodePlaces,
): readonly string[] {
  // Whether bytecode is written is for the condition to say.
  const options = command.options
    .map((option) => (/^-[a-zA-Z]+$/.test(option) ? option.replace('B', '') : option))
    .filter((option) => option !== '-');
  const own =
    condition === 'no-bytecode'
      ? ['-B', '-X', `pycache_prefix=${empty}`]
      : ['-X', `pycache_prefix=${filled}`];
  return [...own, ...pythonWords({...command, options})];
}

/** The environment of the same. */
export function conditionEnvironment(
  environment: Readonly<Record<string, string>>,
  condition: StartCondition,
  {filled, empty}: BytecodePlaces,
): Readonly<Record<string, string>> {
  const others = Object.entries(environment).filter(([name]) => !(name in NO_BYTECODE));
  return condition === 'no-bytecode'
    ? {...Object.fromEntries(others), PYTHONPYCACHEPREFIX: empty, ...NO_BYTECODE}
    : {...Object.fromEntries(others), PYTHONPYCACHEPREFIX: filled};
}
