/** Who is measured against whom. */
import type {BenchProgram} from '../src/inspect/bench-program.js';
import type {BenchSubject} from '../src/inspect/bench-subjects.js';
import {findTool} from '../src/exec/tools.js';
import {scrubbedEnvironment} from '../src/exec/environment.js';

/** One of those that run the same command, such as `unmodified`, `frozen`. */
export interface Side {
  readonly name: string;
  readonly program: BenchProgram;
  /**
   * Whether it goes on from a snapshot. In valgrind, and with the variables that say where `.pyc` files are, it would start in the ordinary
   * way: neither is measured.
   */
  readonly restores?: boolean;
}

export interface Contest {
  /** Such as `relink-3.13`. */
  readonly subject: string;
  /** Such as `3.13.0`. */
  readonly python: string;
  /** The first one is the baseline. */
  readonly sides: readonly [Side, ...Side[]];
  /** Where the sides run. */
  readonly place: Place;
}

/** What measures, run from this machine where the sides are. */
export interface Place {
  /** A Python that runs our scripts. */
  readonly python: string;
  /** The baseline, for a look at what it does. */
  readonly baseline: string;
  /** Undefined where there is none: then no instructions are counted. */
  readonly valgrind: string | undefined;
}

/**
 * A pair on this machine.
 * @param others further sides
 */
export async function localContest(
  subject: string,
  {python, stage1, stage2}: BenchSubject,
  others: readonly Side[] = [],
): Promise<Contest> {
  return {
    subject,
    python,
    sides: [{name: 'unmodified', program: stage1}, {name: 'frozen', program: stage2}, ...others],
    place: await localPlace(stage1),
  };
}

export async function localPlace(baseline: BenchProgram): Promise<Place> {
  const valgrind = await findTool('valgrind', scrubbedEnvironment()['PATH']);
  return {python: baseline.python, baseline: baseline.python, valgrind};
}
