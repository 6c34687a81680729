import {basename, dirname, join} from 'node:path';
import {mkdir} from 'node:fs/promises';
import {measureTime} from '../../cpython/interpreter/measure.js';
import {type PythonCommand, pythonWords} from '../../cpython/interpreter/python-command.js';
import {askExecutable} from '../../hosts/snapshot/ask-executable.js';
import {placeOfBase} from '../../hosts/snapshot/snapshot-base.js';
import {openSnapshot} from '../../hosts/snapshot/snapshot-build.js';
import {defaultBuildDir} from '../../pipeline/default-build-dir.js';
import {fail, ok, type Result} from '../../model/result.js';
import {quoteForShell} from '../../model/shell-words.js';
import type {HostContext, SnapshotBase} from '../../pipeline/build-options.js';
import {selectionFrom} from '../../pipeline/modules/selection-settings.js';
import {type BytecodePlaces, conditionEnvironment, conditionWords} from '../start-condition.js';
import type {StartSide} from '../start-place.js';
import {type Figure, figureOf} from '../statistics.js';
import {outputDifference, type ProgramRun, runProgram} from './program-run.js';

/** What a snapshot of the program is built from. */
export interface SnapshotSource {
  readonly base: SnapshotBase;
  /** The build directory; by default one in the cache. */
  readonly buildDir: string | undefined;
}

/** What a snapshot of the program gives, or why there is none. */
export type SnapshotTrial =
  | {
      readonly state: 'measured';
      /** `3.13.15` */
      readonly python: string;
      /** Milliseconds of warm starts, in turn with those of the program as it is. */
      readonly start: Figure;
      /** The snapshot over the program as it is. */
      readonly wall: number;
      /** The commands that make it for good, and start it. */
      readonly permanent: readonly string[];
      readonly command: readonly string[];
    }
  | {readonly state: 'none'; readonly reason: string};

export interface SnapshotTrialRequest {
  readonly command: PythonCommand;
  readonly from: SnapshotSource;
  readonly original: StartSide;
  /** What the program prints as it is. */
  readonly usual: ProgramRun;
  readonly bytecode: BytecodePlaces;
  /** The directory of the executable. */
  readonly place: string;
  /** A name for the executable. */
  readonly name: string;
}

/** Milliseconds, and how often each of the two starts. */
const [BUDGET, MOST, LEAST] = [4000, 40, 5];

/**
 * Builds the program with a snapshot of what it imports, and measures starts of it. What stands in the way of that is an answer,
 * not a failure. Fails with INTERRUPTED.
 */
export async function trySnapshot(
  request: SnapshotTrialRequest,
  context: HostContext,
): Promise<Result<SnapshotTrial>> {
  const tried = await measureSnapshot(request, context);
  if (tried.ok || tried.failure.code === 'INTERRUPTED') return tried;
  return ok({state: 'none', reason: tried.failure.message});
}

async function measureSnapshot(
  {command, from, original, usual, bytecode, place, name}: SnapshotTrialRequest,
  context: HostContext,
): Promise<Result<SnapshotTrial>> {
  const {cwd, signal} = context;
  if (command.options.length > 0) {
    return ok({state: 'none', reason: `the interpreter has options: ${quoteForShell(command.options)}`});
  }
  const entry = entryOf(command);
  // Programs print by which name they are called.
  const out = join(place, 'snapshot', entry === undefined ? name : basename(entry));
  const built = await build({command, entry, from, out}, context);
  if (!built.ok) return built;
  const {environment} = original;
  const words = entry === undefined ? pythonWords(command) : command.arguments;
  const state = await askExecutable({file: out, calledAs: out, environment}, {cwd, signal});
  if (state !== 'restored') return ok({state: 'none', reason: `a start would be an ordinary one: ${state}`});
  const started = await runProgram({file: out, words: [out, ...words], environment, cwd, signal});
  if (!started.ok) return started;
  const difference = outputDifference(usual, started.value);
  if (difference !== undefined) {
    return ok({state: 'none', reason: `the program prints something else with it: ${difference}`});
  }
  const measured = await measureTime(
    {python: original.file, argv0: original.name, environment, signal},
    {
      commands: [
        {
          file: original.file,
          words: [original.name, ...conditionWords(command, 'warm', bytecode)],
          environment: conditionEnvironment(environment, 'warm', bytecode),
        },
        {file: out, words: [out, ...words], environment},
      ],
      rounds: Math.max(LEAST, Math.min(MOST, Math.floor(BUDGET / usual.took))),
      cwd,
    },
  );
  if (!measured.ok) return measured;
  const [one, other] = measured.value.map(({milliseconds}) => figureOf(milliseconds));
  if (one === undefined || other === undefined) return fail('BUG', 'nothing was measured');
  const kept = `./${name}-snapshot`;
  return ok({
    ...{state: 'measured', python: built.value, start: other, wall: other.median / one.median},
    permanent: [
      ...[
        'flashfreeze',
        'snapshot',
        from.base.kind === 'source' ? '--source' : '--python',
        placeOfBase(from.base),
      ],
      ...(entry === undefined ? [] : ['--entry', entry]),
      ...['--trace', quoteForShell(pythonWords(command)), '--out', kept],
    ],
    command: [kept, ...words],
  });
}

/** The program that the executable is, as `--entry` takes it; undefined for code, which an interpreter runs. */
function entryOf({program}: PythonCommand): string | undefined {
  if (program.kind === 'code') return undefined;
  return program.kind === 'module' ? program.name : program.path;
}

/** Returns the version of the interpreter. */
async function build(
  {
    command,
    entry,
    from,
    out,
  }: {
    readonly command: PythonCommand;
    readonly entry: string | undefined;
    readonly from: SnapshotSource;
    readonly out: string;
  },
  context: HostContext,
): Promise<Result<string>> {
  const {base, buildDir} = from;
  const selection = selectionFrom({trace: [quoteForShell(pythonWords(command))]});
  const options = {
    ...{base, out, entry, cc: undefined, debugInfo: false, snapshot: true},
    buildDir: buildDir ?? defaultBuildDir('snapshot', {python: placeOfBase(base), out}, context.cacheDir),
  };
  await mkdir(dirname(out), {recursive: true});
  const opened = await openSnapshot(options, selection, context.cwd);
  if (!opened.ok) return opened;
  const built = await opened.value.build(context);
  return built.ok ? ok(built.value.python) : built;
}
