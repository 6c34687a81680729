/** Programs, judged: which of them can tell a frozen interpreter from the original. */
import {rmSync} from 'node:fs';
import {say} from '../../support/gate-options.js';
import {makeDirectory} from '../../support/make-directory.js';
import {type Difference, compare} from './compare.js';
import {type Batch, type Target, freezeBatch} from './freeze.js';
import type {Program} from './program.js';
import {type Outcome, runProgram} from './run-program.js';
import {type Written, editProgram} from './write.js';

export interface Verdict {
  readonly program: Program;
  readonly difference: Difference | undefined;
  /** Why nothing can be said, where that is so. */
  readonly unstable: string | undefined;
  /** Its modules in static code; 0 proves nothing. */
  readonly static: number;
  readonly end: string;
}

/** Freezes the programs together, and runs each in both interpreters. */
export async function judge(
  target: Target,
  programs: readonly Program[],
  atOnce = 2,
): Promise<readonly Verdict[]> {
  const folder = makeDirectory('fuzz');
  try {
    const batch = await freezeBatch(target, programs, folder);
    if (!batch.frozen.ok) {
      say(`the build of ${programs.length} programs fails: ${batch.frozen.why}`);
      return await withoutBuild(target, programs, batch.frozen.why);
    }
    for (const each of batch.programs) editProgram(each);
    return await inTurns(batch.programs, atOnce, (each) => judgeOne(batch, each));
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Finds the programs that cannot be frozen, by halves. */
async function withoutBuild(
  target: Target,
  programs: readonly Program[],
  why: string,
): Promise<readonly Verdict[]> {
  const [only] = programs;
  if (programs.length === 1 && only !== undefined) {
    return [notBuilt(only, why)];
  }
  const middle = Math.ceil(programs.length / 2);
  const parts = [
    ...(await judge(target, programs.slice(0, middle))),
    ...(await judge(target, programs.slice(middle))),
  ];
  const isExplained = parts.some(({difference}) => difference?.part === 'build');
  // Each half can be built: what is wrong is seen in both together only.
  return isExplained || only === undefined ? parts : [notBuilt(only, why), ...parts.slice(1)];
}

/** A build that fails is a difference: the original runs the program. */
function notBuilt(program: Program, why: string): Verdict {
  const line = /error\[.*/.exec(why)?.[0] ?? why.slice(-200);
  const signature = `build ${line}`.replaceAll(/t\d{4}|\d+|\/\S*/g, '#').slice(0, 120);
  const difference = {part: 'build', original: 'the build succeeds', frozen: why, signature};
  return {program, difference, unstable: undefined, static: 0, end: 'not built'};
}

/** A few at a time. */
export async function inTurns<T, R>(
  things: readonly T[],
  atOnce: number,
  act: (thing: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < things.length; at = next++) {
      const thing = things[at];
      if (thing !== undefined) results[at] = await act(thing);
    }
  };
  await Promise.all(Array.from({length: atOnce}, work));
  return results;
}

/** How often the original runs again, where a program differs. */
const MORE_RUNS = 8;

/** The frozen interpreter comes first: what the program does to its files is put right afterwards, but makes them other files. */
async function judgeOne(batch: Batch, written: Written): Promise<Verdict> {
  if (!batch.frozen.ok) throw new Error(batch.frozen.why);
  const {python} = batch.frozen;
  const names = [python, batch.target.python];
  const frozen = await runProgram(written, python);
  const original = await runProgram(written, batch.target.python);
  const told = (difference: Difference | undefined, unstable: string | undefined): Verdict => ({
    ...{program: written.program, difference, unstable, static: frozen.static, end: original.end},
  });
  // Where a program that never ends was when it was stopped depends on the machine.
  if (original.end === 'hangs' && frozen.end === 'hangs') return told(undefined, 'never ends');
  if (compare(original, frozen, names) === undefined) return told(undefined, undefined);
  // Threads and the clock may be what differs, in the original, too, if only now and then.
  const again: Outcome[] = [];
  for (let i = 0; i < MORE_RUNS; i++) again.push(await runProgram(written, batch.target.python));
  const unstable = again.map((each) => compare(original, each, names)).find((each) => each !== undefined);
  if (unstable !== undefined) return told(undefined, unstable.signature);
  return told(compare(original, await runProgram(written, python), names), undefined);
}
