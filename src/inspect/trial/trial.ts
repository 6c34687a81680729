import {join} from 'node:path';
import {mkdtemp} from 'node:fs/promises';
import {privateCacheDir} from '../../cache/private-cache-dir.js';
import {ensurePrivate} from '../../fs/private-directory.js';
import {removeTree} from '../../fs/removal.js';
import {digestOf} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {inPhase} from '../phases.js';
import {conditionEnvironment, conditionWords} from '../start-condition.js';
import {makeBytecodePlaces, type StartSide} from '../start-place.js';
import {findProgram, type FoundProgram} from './find-program.js';
import {type FreezeMethod, freezeProgram} from './freeze-program.js';
import {type MeasuredStarts, measureStarts} from './measure-starts.js';
import {commandsFor, nameOf, type PermanentCommands, snapshotAdvice} from './permanent-commands.js';
import {outputDifference, type ProgramRun, runProgram} from './program-run.js';
import {type SnapshotSource, type SnapshotTrial, trySnapshot} from './snapshot-trial.js';

/** What freezing a program gives. */
export interface Trial extends MeasuredStarts, PermanentCommands {
  readonly snapshot: SnapshotTrial;
  /** `3.13.15` */
  readonly python: string;
  /** How many modules are frozen. */
  readonly modules: number;
  readonly method: FreezeMethod;
}

/**
 * Freezes what a command imports, in the cache directory, and measures the program as it is and frozen. Nothing of the user's is
 * changed, but for what the program itself does, which runs up to 150 times. Fails as `findProgram`, `runProgram` and the hosts do; with
 * BENCH for a program that prints something else each time, and with VERIFY for one that prints something else when it is frozen.
 * @param from what a snapshot is built from, or `own` for the Python of the program; undefined for none
 */
export async function tryCommand(
  command: readonly string[],
  from: SnapshotSource | 'own' | undefined,
  context: HostContext,
): Promise<Result<Trial>> {
  const {cwd, signal, userEnvironment} = context;
  const environment = Object.fromEntries(
    Object.entries(userEnvironment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const found = await findProgram(command, {cwd, environment, signal});
  if (!found.ok) return found;
  const program = found.value;
  const place = join(privateCacheDir(context.cacheDir), 'tried', digestOf(program.python).slice(0, 12));
  const owned = await ensurePrivate(place);
  if (!owned.ok) return owned;
  const starts = await mkdtemp(join(place, 'starts-'));
  try {
    const base = {kind: 'installed', python: program.python} as const;
    const chosen = from === 'own' ? {base, buildDir: undefined} : from;
    return await tryProgram(program, chosen, {frozen: place, starts}, environment, context);
  } finally {
    await removeTree(starts);
  }
}

async function tryProgram(
  program: FoundProgram,
  from: SnapshotSource | undefined,
  places: {readonly frozen: string; readonly starts: string},
  environment: Readonly<Record<string, string>>,
  context: HostContext,
): Promise<Result<Trial>> {
  const {cwd, signal} = context;
  const {command} = program;
  const bytecode = await makeBytecodePlaces(places.starts);
  const runAs = ({file, name, environment: own}: StartSide): Promise<Result<ProgramRun>> =>
    runProgram({
      ...{file, words: [name, ...conditionWords(command, 'warm', bytecode)], cwd, signal},
      environment: conditionEnvironment(own, 'warm', bytecode),
    });

  const original = {file: program.python, name: program.python, environment};
  const usual = await inPhase('running the program as it is', context, () => runTwice(() => runAs(original)));
  if (!usual.ok) return usual;
  const frozen = await inPhase('freezing what it imports', context, () =>
    freezeProgram(program, places.frozen, environment, context),
  );
  if (!frozen.ok) return frozen;
  const {python, modules, method, side, files} = frozen.value;
  const changed = await runAs(side);
  if (!changed.ok) return changed;
  const difference = outputDifference(usual.value, changed.value);
  if (difference !== undefined) {
    return fail('VERIFY', `the program prints something else when it is frozen: ${difference}`);
  }
  const request = {command, sides: [original, side], place: places.starts, files, cwd, signal} as const;
  const measured = await inPhase('measuring', context, () =>
    measureStarts(request, bytecode, usual.value.took),
  );
  if (!measured.ok) return measured;
  const name = nameOf(command);
  const taken = {command, original, usual: usual.value, bytecode, place: places.frozen, name};
  const snapshot =
    from === undefined
      ? ok({state: 'none', reason: snapshotAdvice(python, method)} as const)
      : await inPhase('trying a snapshot', context, () => trySnapshot({...taken, from}, context));
  if (!snapshot.ok) return snapshot;
  const commands = commandsFor(program, method, python);
  return ok({python, modules, method, ...measured.value, ...commands, snapshot: snapshot.value});
}

/** The second of two runs, whose modules have their bytecode. */
async function runTwice(run: () => Promise<Result<ProgramRun>>): Promise<Result<ProgramRun>> {
  const first = await run();
  if (!first.ok) return first;
  const second = await run();
  const difference = second.ok ? outputDifference(first.value, second.value) : undefined;
  if (difference === undefined) return second;
  return fail('BENCH', `the program prints something else each time: ${difference}`, {
    hint: 'choose arguments with which it prints the same, such as --version or --help',
  });
}
