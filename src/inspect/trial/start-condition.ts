import {mkdir, readdir} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {pythonWords} from '../../cpython/interpreter/python-command.js';
import {NO_BYTECODE} from '../../cpython/interpreter/run-script.js';
import {clearPath} from '../../fs/removal.js';
import type {FoundProgram} from './find-program.js';

/** The state of the machine in which a start is measured. */
export const START_CONDITIONS = ['warm', 'no bytecode', 'cold'] as const;
/**
 * - `warm`: with `.pyc` files, and everything in the page cache
 * - `no bytecode`: each start compiles its modules, as in most containers
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

/** Makes both directories anew, in `folder`. */
export async function makeBytecodePlaces(folder: string): Promise<BytecodePlaces> {
  const places = {filled: join(folder, 'bytecode'), empty: join(folder, 'no-bytecode')};
  for (const place of Object.values(places)) {
    await clearPath(place);
    await mkdir(place, {recursive: true});
  }
  return places;
}

/**
 * A program's command line under a condition. Options of the interpreter hold with its -I and -E, too; variables do not, but reach the
 * processes that the program starts.
 */
export function conditionWords(
  {python, command}: FoundProgram,
  condition: StartCondition,
  {filled, empty}: BytecodePlaces,
): readonly string[] {
  // Whether bytecode is written is for the condition to say.
  const options = command.options
    .map((option) => (/^-[a-zA-Z]+$/.test(option) ? option.replace('B', '') : option))
    .filter((option) => option !== '-');
  const own =
    condition === 'no bytecode'
      ? ['-B', '-X', `pycache_prefix=${empty}`]
      : ['-X', `pycache_prefix=${filled}`];
  return [python, ...own, ...pythonWords({...command, options})];
}

/** The environment of the same. */
export function conditionEnvironment(
  environment: Readonly<Record<string, string>>,
  condition: StartCondition,
  {filled, empty}: BytecodePlaces,
): Readonly<Record<string, string>> {
  const others = Object.entries(environment).filter(([name]) => !(name in NO_BYTECODE));
  return condition === 'no bytecode'
    ? {...Object.fromEntries(others), PYTHONPYCACHEPREFIX: empty, ...NO_BYTECODE}
    : {...Object.fromEntries(others), PYTHONPYCACHEPREFIX: filled};
}

/**
 * The files that a start read, as its `.pyc` files tell: these, and every file in the directories of their sources, where extension
 * modules lie, too.
 */
export async function filesOfStart({filled}: BytecodePlaces): Promise<readonly string[]> {
  const files: string[] = [];
  for (const entry of await readdir(filled, {withFileTypes: true, recursive: true})) {
    if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
  }
  // A prefix of bytecode mirrors the whole path of a source.
  const folders = new Set(files.map((file) => join('/', relative(filled, dirname(file)))));
  for (const folder of [...folders, ...[...folders].map((each) => join(each, 'lib-dynload'))]) {
    for (const entry of await readdir(folder, {withFileTypes: true}).catch(() => [])) {
      if (entry.isFile() && /\.(py|so)$/.test(entry.name)) files.push(join(folder, entry.name));
    }
  }
  return files;
}
