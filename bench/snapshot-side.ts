/** Starts from a snapshot, beside the other ones. */
import {askExecutable} from '../src/hosts/snapshot/ask-executable.js';
import {makeFrozen} from '../support/frozen-pythons.js';
import type {RunOptions} from '../support/rig.js';
import type {Side} from './contest.js';

/** What a snapshot is made and started in. */
interface Surroundings {
  /** Besides PATH, the language and the time zone. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/**
 * Makes an executable with a snapshot of what is selected.
 * @param target the options of `snapshot` that name the Python
 * Throws when that fails, or when a start would be an ordinary one.
 */
export async function snapshotSide(
  target: readonly string[],
  out: string,
  selection: readonly string[],
  {environment: own, cwd}: Surroundings,
): Promise<Side> {
  await makeFrozen(['snapshot', ...target, '--out', out, ...selection], {environment: nothingBut(own), cwd});
  const environment = surroundingVariables(own);
  const {signal} = new AbortController();
  const state = await askExecutable({file: out, calledAs: out, environment}, {cwd, signal});
  if (state !== 'restored') throw new Error(`${out}: a start would be an ordinary one: ${state}`);
  return {name: 'snapshot', program: {python: out, environment}, restores: true};
}

/** For a command that inherits variables: these, and none of ours. A variable PYTHON… would mean an ordinary start. */
export function nothingBut(own: Surroundings['environment']): NonNullable<RunOptions['environment']> {
  const inherited = Object.fromEntries(Object.keys(process.env).map((each) => [each, undefined]));
  return {...inherited, ...surroundingVariables(own)};
}

function surroundingVariables(own: Surroundings['environment']): Readonly<Record<string, string>> {
  return {PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', TZ: 'UTC', ...own};
}
