/**
 * How fast frozen code runs once it is imported: ten programs that compute, frozen, against the same from bytecode files. What
 * starts and imports them is measured, too, and taken off.
 *
 *     node bench/run.mjs runtime [--on 'relink-3.13'] [--measure 'wall instructions'] [--rounds 60]
 */
import {cpSync, mkdirSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {run} from '../../support/rig.js';
import {findPythons} from '../../support/pythons.js';
import type {Contest} from '../contest.js';
import {FOLDER} from '../context.js';
import {type Extent, measure} from '../measuring.js';
import {sayRow, suiteOptions} from '../options.js';
import {FROZEN} from '../ratios.js';
import {type Measured, type Row, UNMEASURED, keepRows} from '../results.js';
import type {Figure} from '../../src/inspect/statistics.js';
import {makeContest} from '../subjects.js';

/** Where the programs lie. */
export const RUNTIME_SOURCES = join(import.meta.dirname, '..', 'runtime');
/** A copy, in which bytecode files may be written. */
const PROGRAMS = join(FOLDER, 'runtime-programs');

export const RUNTIME_PROGRAMS = readdirSync(RUNTIME_SOURCES)
  .filter((file) => file.endsWith('.py'))
  .map((file) => file.replace(/\.py$/, ''))
  .sort();

const importOf = (names: readonly string[]): string =>
  `import sys; sys.path.insert(0, '${PROGRAMS}'); import ${names.join(', ')}`;

/** The interpreter with all of the programs frozen. */
export async function prepareRuntime(name: string): Promise<Contest> {
  mkdirSync(PROGRAMS, {recursive: true});
  cpSync(RUNTIME_SOURCES, PROGRAMS, {recursive: true, preserveTimestamps: true});
  const contest = await makeContest(
    name,
    ['--startup', '--trace', `-c "${importOf(RUNTIME_PROGRAMS)}"`],
    'runtime',
  );
  const {python} = contest.place;
  const compiled = await run(python, ['-I', '-m', 'compileall', '-q', PROGRAMS]);
  if (compiled.exitCode !== 0) throw new Error(compiled.stdout + compiled.stderr);
  return contest;
}

export async function measureRuntime(contest: Contest, program: string, extent: Extent): Promise<Row> {
  const code = importOf([program]);
  const whole = await measure(contest, {name: program, words: ['-c', `${code}; ${program}.main()`]}, extent);
  const start = await measure(contest, {name: program, words: ['-c', code]}, extent);
  return timeAfter(whole, start);
}

/** What came after the start. */
export function timeAfter(whole: Row, start: Row): Row {
  const sides = Object.entries(whole.sides).map(([side, measured]) => {
    return [side, difference(measured, start.sides[side] ?? UNMEASURED)] as const;
  });
  return {...whole, sides: Object.fromEntries(sides)};
}

/** Faults and memory are those of a start, and of no interest here. */
function difference(whole: Measured, start: Measured): Measured {
  const [all, off] = [whole.instructions, start.instructions];
  return {
    ...UNMEASURED,
    wall: whole.wall && start.wall && figureDifference(whole.wall, start.wall),
    instructions: all === null || off === null ? null : all - off,
  };
}

function figureDifference(one: Figure, other: Figure): Figure {
  return {median: one.median - other.median, spread: Math.hypot(one.spread, other.spread)};
}

export async function suite(words: readonly string[]): Promise<void> {
  const options = suiteOptions(words);
  const newest = findPythons().at(-1)?.series ?? '';
  for (const name of options.on ?? [`relink-${newest}`, `overlay-${newest}`]) {
    const contest = await prepareRuntime(name);
    for (const program of RUNTIME_PROGRAMS) {
      const quantities = new Set(options.quantities);
      quantities.delete('memory');
      quantities.delete('faults');
      const row = await measureRuntime(contest, program, {...options, quantities});
      sayRow(row, [FROZEN]);
      await keepRows('runtime', [row]);
    }
  }
}
