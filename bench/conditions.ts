/** Starts in other states of the machine: without `.pyc` files, and with a cold page cache. */
import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {type MeasuredCommand, type Measurements, measureTime} from '../src/cpython/interpreter/measure.js';
import {conditionEnvironment, type StartCondition} from '../src/inspect/start-condition.js';
import {filesOfStarts, makeBytecodePlaces} from '../src/inspect/start-place.js';
import {figureOf} from '../src/inspect/statistics.js';
import {valueOf} from './context.js';

export interface ConditionsRequest {
  /** What is started, in turn; the first is the baseline. */
  readonly commands: readonly [MeasuredCommand, ...MeasuredCommand[]];
  /** The Python that starts them. */
  readonly runner: string;
  /** A directory for bytecode. */
  readonly place: string;
  /** What the starts read besides modules and interpreters, such as libraries of images. */
  readonly files: readonly string[];
  /** The working directory of the starts: `/` by default. */
  readonly cwd?: string;
}

/** Measures all commands under a condition. Undefined for `cold` where the page cache keeps its pages. Throws when a start fails. */
export type MeasureUnder = (
  condition: StartCondition,
  rounds: number,
) => Promise<readonly Measurements[] | undefined>;

const {signal} = new AbortController();

/** Fills the directory of bytecode by a first start. Throws when that fails. */
export async function openConditions({
  commands,
  runner,
  place,
  files,
  cwd = '/',
}: ConditionsRequest): Promise<MeasureUnder> {
  const [{environment}] = commands;
  const bytecode = await makeBytecodePlaces(place);
  const sideOf = ({words: [file = ''], environment: own}: MeasuredCommand) =>
    ({file, name: file, environment: own}) as const;
  const [first, ...others] = commands;
  const sides = [sideOf(first), ...others.map(sideOf)] as const;
  const under: MeasureUnder = async (condition, rounds) => {
    const measured = valueOf(
      await measureTime(
        {python: runner, environment, signal},
        {
          commands: commands.map((command) => ({
            ...command,
            environment: conditionEnvironment(command.environment, condition, bytecode),
          })),
          rounds,
          cwd,
          evicted: condition === 'cold' ? await filesOfStarts({sides, files}, bytecode) : [],
        },
      ),
    );
    const isAsAsked = condition !== 'cold' || measured.every(({reads}) => (figureOf(reads)?.median ?? 0) > 0);
    return isAsAsked ? measured : undefined;
  };
  await under('warm', 1);
  return under;
}

/** A file itself, or the files in a directory, but for builds. */
export function filesIn(made: string): string[] {
  if (!statSync(made).isDirectory()) return [made];
  return readdirSync(made, {withFileTypes: true}).flatMap((entry) =>
    entry.isFile() ? [join(made, entry.name)] : [],
  );
}
