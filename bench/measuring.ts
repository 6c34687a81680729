/** Measures one command on all sides of a contest, in turn. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {type MeasuredCommand, countInstructions, measureTime} from '../src/cpython/interpreter/measure.js';
import type {Interpreter} from '../src/cpython/interpreter/run-script.js';
import {runProcess} from '../src/exec/process.js';
import {refuseColdBaseline} from '../src/inspect/bench-installation.js';
import type {Contest, Place} from './contest.js';
import {valueOf} from './context.js';
import {type Measured, type Row, UNMEASURED} from './results.js';
import {figureOf} from './statistics.js';

/** What may be measured. Only wall-clock time depends on what else the machine does. */
export const QUANTITIES = ['wall', 'faults', 'instructions', 'memory'] as const;
export type Quantity = (typeof QUANTITIES)[number];

export interface Command {
  /** For the tables. */
  readonly name: string;
  /** What follows the interpreter. */
  readonly words: readonly string[];
  readonly cwd?: string;
  /** Besides the sides' own. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Extent {
  readonly rounds: number;
  readonly quantities: ReadonlySet<Quantity>;
}

/** So many processes share the memory. */
export const PROCESSES = 10;
const MEMORY_ROUNDS = 3;
/** So often a command is run when its page faults are all that is wanted. */
const FAULT_ROUNDS = 5;
const MEMORY_SCRIPT = join(import.meta.dirname, 'memory.py');

const {signal} = new AbortController();

/** Throws when a command fails, or when the baseline compiles modules at its start. */
export async function measure(contest: Contest, command: Command, extent: Extent): Promise<Row> {
  const {subject, python, sides, place} = contest;
  const cwd = command.cwd ?? '/';
  const commands = sides.map(({program}) => ({
    words: [program.python, ...command.words],
    environment: {...program.environment, ...command.environment},
  }));
  await refuseCold(contest, command);
  const before = loadAverage();
  const timed = extent.quantities.has('wall');
  const rounds = timed ? extent.rounds : Math.min(extent.rounds, FAULT_ROUNDS);
  const runs =
    timed || extent.quantities.has('faults')
      ? valueOf(await measureTime(interpreterAt(contest), {commands, rounds, cwd}))
      : undefined;
  const measured: [string, Measured][] = [];
  for (const [i, {name}] of sides.entries()) {
    const each = commands[i];
    if (each === undefined) continue;
    const pss = extent.quantities.has('memory')
      ? await measureMemory(interpreterAt(contest), each, cwd)
      : undefined;
    measured.push([
      name,
      {
        ...UNMEASURED,
        wall: figureOf((timed ? runs?.[i]?.milliseconds : undefined) ?? []) ?? null,
        faults: figureOf(runs?.[i]?.faults ?? []) ?? null,
        instructions: extent.quantities.has('instructions') ? await instructionsOf(place, each, cwd) : null,
        pss: figureOf(pss ?? []) ?? null,
      },
    ]);
  }
  return {
    ...{subject, python, command: command.name},
    sides: Object.fromEntries(measured),
    load: timed ? Math.max(before, loadAverage()) : null,
  };
}

/** The load average of the last minute. */
export function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}

async function refuseCold({sides: [baseline], place}: Contest, command: Command): Promise<void> {
  const environment = {...baseline.program.environment, ...command.environment};
  // A script is looked at from where it runs: there are commands that need files there.
  valueOf(await refuseColdBaseline({python: place.baseline, environment}, command.words, signal));
}

/** What measures is run as the baseline is. */
function interpreterAt({sides: [baseline], place}: Contest): Interpreter {
  return {python: place.python, environment: baseline.program.environment, signal};
}

async function instructionsOf(place: Place, command: MeasuredCommand, cwd: string): Promise<number | null> {
  if (place.valgrind === undefined) return null;
  return valueOf(await countInstructions(place.valgrind, command, cwd, signal));
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
