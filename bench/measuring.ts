/** Measures one command on all sides of a contest, in turn. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import type {MeasuredCommand, Measurements} from '../src/cpython/interpreter/measure.js';
import type {Interpreter} from '../src/cpython/interpreter/run-script.js';
import {runProcess} from '../src/exec/process.js';
import {measureSides} from '../src/inspect/measure-sides.js';
import {type Figure, figureOf} from '../src/inspect/statistics.js';
import {type ConditionsRequest, openConditions} from './conditions.js';
import type {Contest, Side} from './contest.js';
import {valueOf} from './context.js';
import {type Measured, type Row, UNMEASURED} from './results.js';

/** What may be measured. Only times depend on what else the machine does; `no-bytecode` and `cold` are those of starts under these conditions. */
export const QUANTITIES = ['wall', 'no-bytecode', 'cold', 'faults', 'instructions', 'memory'] as const;
export type Quantity = (typeof QUANTITIES)[number];

export interface Command {
  /** For the tables. */
  readonly name: string;
  /** What follows the interpreter. */
  readonly words: readonly string[];
  readonly cwd?: string;
  /** Besides the sides' own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What other conditions need; without it only warm starts are measured. */
  readonly conditions?: Pick<ConditionsRequest, 'place' | 'files'>;
}

export interface Extent {
  readonly rounds: number;
  readonly quantities: ReadonlySet<Quantity>;
}

/** So many processes share the memory. */
export const PROCESSES = 10;
const MEMORY_ROUNDS = 3;
/** Starts that compile or read everything take so much longer. */
const SLOWER = 4;
/** So often a command is run when its page faults are all that is wanted. */
const FAULT_ROUNDS = 5;
const MEMORY_SCRIPT = join(import.meta.dirname, 'memory.py');

const {signal} = new AbortController();

/** Throws when a command fails, or when the baseline compiles modules at its start. */
export async function measure(contest: Contest, command: Command, extent: Extent): Promise<Row> {
  const {subject, python, sides, place} = contest;
  const {quantities} = extent;
  const cwd = command.cwd ?? '/';
  const before = loadAverage();
  const timed = quantities.has('wall');
  const rounds = timed ? extent.rounds : quantities.has('faults') ? Math.min(extent.rounds, FAULT_ROUNDS) : 0;
  const [baseline, ...others] = sides;
  const measurements = valueOf(
    await measureSides({
      command: {...command, cwd},
      sides: [baseline.program, ...others.map(({program}) => program)],
      runner: place.python,
      baseline: place.baseline,
      rounds,
      valgrind: quantities.has('instructions') ? place.valgrind : undefined,
      signal,
    }),
  );
  const conditions = await measureConditions(contest, command, extent);
  const measured: [string, Measured][] = [];
  for (const [i, {name, program, restores = false}] of sides.entries()) {
    const each = {
      words: [program.python, ...command.words],
      environment: {...program.environment, ...command.environment},
    };
    const pss = quantities.has('memory') ? await measureMemory(interpreterAt(contest), each, cwd) : [];
    measured.push([
      name,
      {
        ...{...UNMEASURED, ...measurements[i], ...conditions.get(name), pss: figureOf(pss) ?? null},
        ...(timed ? {} : {wall: null}),
        ...(restores ? {instructions: null} : {}),
      },
    ]);
  }
  return {
    ...{subject, python, command: command.name},
    sides: Object.fromEntries(measured),
    load: timed ? Math.max(before, loadAverage()) : null,
  };
}

/** Of each side by name, the times of starts under the conditions that are wanted. */
async function measureConditions(
  {sides: [baseline, ...all], place}: Contest,
  {words, cwd, environment, conditions}: Command,
  {quantities, rounds}: Extent,
): Promise<ReadonlyMap<string, Partial<Measured>>> {
  const others = all.filter(({restores}) => restores !== true);
  const wanted = (['no-bytecode', 'cold'] as const).filter((each) => quantities.has(each));
  if (conditions === undefined || wanted.length === 0) return new Map();
  const commandOf = ({program}: Side): MeasuredCommand => ({
    words: [program.python, ...words],
    environment: {...program.environment, ...environment},
  });
  const under = await openConditions({
    ...{commands: [commandOf(baseline), ...others.map(commandOf)], runner: place.python, ...conditions},
    ...(cwd !== undefined && {cwd}),
  });
  const taken = new Map<string, readonly Measurements[]>();
  for (const each of wanted) taken.set(each, (await under(each, Math.ceil(rounds / SLOWER))) ?? []);
  const figure = (condition: string, i: number): Figure | null =>
    figureOf(taken.get(condition)?.[i]?.milliseconds ?? []) ?? null;
  return new Map(
    [baseline, ...others].map(({name}, i) => [
      name,
      {noBytecode: figure('no-bytecode', i), cold: figure('cold', i)},
    ]),
  );
}

/** The load average of the last minute. */
export function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}

/** What measures is run as the baseline is. */
function interpreterAt({sides: [baseline], place}: Contest): Interpreter {
  return {python: place.python, environment: baseline.program.environment, signal};
}

const answer = z.object({pss: z.array(z.number())});

/** Kilobytes of each of the processes, for all rounds. */
async function measureMemory(
  {python, environment}: Interpreter,
  command: MeasuredCommand,
  cwd: string,
): Promise<number[]> {
  const all: number[] = [];
  for (let round = 0; round < MEMORY_ROUNDS; round++) {
    const run = valueOf(
      await runProcess({
        file: python,
        args: ['-I', '-S', '-B', MEMORY_SCRIPT],
        cwd: '/',
        environment,
        input: JSON.stringify({...command, cwd, processes: PROCESSES}),
        signal,
        timeoutMs: 5 * 60_000,
      }),
    );
    if (run.exitCode !== 0) throw new Error(run.stderr);
    all.push(...answer.parse(JSON.parse(run.stdout)).pss);
  }
  return all;
}
