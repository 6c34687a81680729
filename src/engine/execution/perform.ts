import {dirname} from 'node:path';
import pLimit from 'p-limit';
import {ensureFolder, hashFile, type FileContent} from '../../fs/files.js';
import type {ActionId, OutputSpec} from '../../model/action.js';
import type {ActionSpec} from '../../model/action-spec.js';
import type {Digest} from '../../model/digest.js';
import {messageOf} from '../../model/errno.js';
import type {JobSlots} from '../../exec/job-slots.js';
import type {EventSink} from '../../model/events.js';
import {type Failure, failure} from '../../model/failure.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {withoutRecording} from '../../fs/recording.js';
import type {Why} from '../causes.js';
import type {Journal, JournalOutput} from '../records/journal.js';
import type {ActionKey} from '../keys.js';
import type {Sources} from '../source-digests.js';
import {createStager, holds, settle, type Staging} from './staging.js';
import {statFile, isExecutable} from '../../fs/path-state.js';
import type {Found, StoreAccess} from './store-access.js';

/** The outcome of an action, with the digests of its outputs by name. */
export interface Done {
  readonly outcome: 'executed' | 'cached' | 'remote' | 'fresh';
  readonly outputs: Readonly<Record<string, Digest>>;
  /** The size of the outputs together; undefined in a dry run, for outputs that do not exist yet. */
  readonly bytes: number | undefined;
}

/** Carries out a decision. */
export interface Performer {
  /** Puts the outputs of an earlier result into place; undefined if they are not available after all. */
  readonly restore: (
    spec: ActionSpec,
    key: ActionKey,
    why: Why,
    found: Found,
  ) => Promise<Result<Done | undefined>>;
  /** Runs the action, keeps its result, and puts its outputs into place. */
  readonly execute: (spec: ActionSpec, key: ActionKey, why: Why) => Promise<Result<Done>>;
}

export interface PerformContext {
  readonly buildDir: string;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  readonly journal: Journal;
  readonly sources: Sources;
  readonly store: StoreAccess;
  /** Each action that starts processes takes one of them while it runs; what is done with its outputs afterwards takes none. */
  readonly jobs: JobSlots;
  /** Called when an action starts to get its result from a cache. */
  readonly onRestore: (id: ActionId) => void;
  /** Called when an action has its slot, and starts to run. */
  readonly onExecute: (id: ActionId, why: Why) => void;
  /** Called when it has run; its outputs are not in place yet. */
  readonly onExecuted: (id: ActionId) => void;
}

/** The number of concurrent copies from the local cache, and from the remote cache, where most of the time is waiting. */
const RESTORING_AT_ONCE = {cached: 8, remote: 24};

/** The number of actions whose outputs are hashed, stored and moved at once: most of that is waiting for the disk. */
const FINISHING_AT_ONCE = 16;

/** The number of actions that work in this process at once: while one waits for the disk, another can go on. */
const IN_PROCESS_AT_ONCE = 2;

export function createPerformer(context: PerformContext): Performer {
  const {journal, store, jobs} = context;
  const finishing = pLimit(FINISHING_AT_ONCE);
  const inProcess = pLimit(IN_PROCESS_AT_ONCE);
  const stager = createStager(context.buildDir);
  const restoring = {cached: pLimit(RESTORING_AT_ONCE.cached), remote: pLimit(RESTORING_AT_ONCE.remote)};

  async function restore(
    spec: ActionSpec,
    key: ActionKey,
    why: Why,
    {record, origin}: Found,
  ): Promise<Result<Done | undefined>> {
    context.onRestore(spec.id);
    return staged(spec, async (paths) => {
      const made: Made[] = [];
      for (const output of spec.outputs) {
        const content = record.outputs.find(({name}) => name === output.name);
        const from = paths[output.name];
        if (content === undefined || from === undefined) return ok(undefined);
        if (await holds(output.path, content)) {
          made.push({output, content, from: output.path});
          continue;
        }
        const copied = await store.materialise(key, content, origin, from);
        if (!copied.ok) return copied;
        if (!copied.value) return ok(undefined);
        made.push({output, content, from});
      }
      if (origin === 'remote') await store.put(spec, key, record, sourcesOf(made));
      return conclude(spec, key, why, origin, made);
    });
  }

  async function executeShared(spec: ActionSpec, key: ActionKey, why: Why): Promise<Result<Done>> {
    return staged(spec, async (paths) => {
      const called = await callInTurn(spec, paths, why);
      if (!called.ok) return called;
      return finishing(async () => {
        const made = await readOutputs(spec, paths);
        if (!made.ok) return made;
        const outputs = made.value.map(({output: {name, executable}, content: {digest, size}}) => {
          return {name, digest, size, executable: executable ?? false};
        });
        const record = {keyRecord: key.text, outputs};
        await store.put(spec, key, record, paths);
        const done = await conclude(spec, key, why, 'executed', made.value);
        if (done.ok) store.offer(spec, key, record, placesOf(spec));
        return done;
      });
    });
  }

  async function executeInPlace(spec: ActionSpec, key: ActionKey, why: Why): Promise<Result<Done>> {
    for (const {path} of spec.outputs) {
      const folder = await ensureFolder(dirname(path));
      if (!folder.ok) return folder;
    }
    // From here on, the state of the directory is unknown until the action has finished.
    const last = journal.get(spec.id);
    if (last !== undefined) journal.set(spec.id, {...last, unfinished: true});
    const noted = await journal.save();
    if (!noted.ok) return noted;
    const paths = placesOf(spec);
    const called = await callInTurn(spec, paths, why);
    if (!called.ok) return called;
    const made = await readOutputs(spec, paths);
    if (!made.ok) return made;
    const done = await conclude(spec, key, why, 'executed', made.value);
    const saved = await journal.save();
    return saved.ok ? done : saved;
  }

  /** Calls the action when it is its turn. Fails with INTERRUPTED, without a start, after an abort. */
  async function callInTurn(
    spec: ActionSpec,
    outputs: Readonly<Record<string, string>>,
    why: Why,
  ): Promise<Result<void>> {
    const start = async (): Promise<Result<void>> => {
      if (context.signal.aborted) return err(interrupted(spec));
      context.onExecute(spec.id, why);
      const result = await call(spec, outputs);
      context.onExecuted(spec.id);
      return result;
    };
    return spec.inProcess === true ? inProcess(start) : jobs.run(start, spec.turn);
  }

  /** Calls the action. Exceptions, and inputs that changed meanwhile, become failures. */
  async function call(spec: ActionSpec, outputs: Readonly<Record<string, string>>): Promise<Result<void>> {
    const log = (text: string): void => {
      context.events.emit({type: 'tool-output', id: spec.id, text});
    };
    let result: Result<void>;
    try {
      // Its inputs are declared, so its other reads are not recorded.
      result = await withoutRecording(() => spec.execute({signal: context.signal, outputs, log}));
    } catch (error) {
      result = thrown(spec, error);
    }
    if (!result.ok) {
      return context.signal.aborted ? err(interrupted(spec)) : result;
    }
    for (const {name, path, digest, producer} of spec.inputs) {
      if (producer !== undefined || !context.sources.mayHaveChanged(path) || (await holds(path, {digest})))
        continue;
      return fail('ACTION', `${name} changed while ${spec.id} was running`, {hint: 'run the build again'});
    }
    return ok();
  }

  /** Moves the outputs into place and records them. */
  async function conclude(
    spec: ActionSpec,
    key: ActionKey,
    why: Why,
    outcome: 'executed' | 'cached' | 'remote',
    made: readonly Made[],
  ): Promise<Result<Done>> {
    const outputs: Record<string, Digest> = {};
    const left: Record<string, JournalOutput> = {};
    const before = journal.get(spec.id)?.outputs;
    let bytes = 0;
    for (const {output, content, from} of made) {
      const settled = spec.storage === 'shared' ? await settle(from, output, content) : ok();
      if (!settled.ok) return settled;
      const found = statFile(output.path);
      outputs[output.name] = content.digest;
      bytes += content.size;
      left[output.name] = {digest: content.digest, stamp: found?.settled === true ? found.stamp : null};
    }
    const same = made.every(({output: {name}, content}) => before?.[name]?.digest === content.digest);
    journal.set(spec.id, {
      key: key.key,
      record: key.text,
      outputs: left,
      producers: key.producers,
      account: {...why, outcome, ...(same ? {sameOutputs: true} : {})},
    });
    await journal.saveNowAndThen();
    return ok({outcome, outputs, bytes});
  }

  /** Runs `act` with temporary places for the outputs of an action, which are gone afterwards. */
  async function staged<T>(
    spec: ActionSpec,
    act: (paths: Staging['paths']) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    const staging = await stager.open(spec);
    if (!staging.ok) return staging;
    try {
      return await act(staging.value.paths);
    } finally {
      await staging.value.clear();
    }
  }

  return {
    restore: (spec, key, why, found) => restoring[found.origin](restore, spec, key, why, found),
    execute: (spec, key, why) =>
      spec.storage === 'shared' ? executeShared(spec, key, why) : executeInPlace(spec, key, why),
  };
}

/** After an abort. */
export function interrupted({id}: ActionSpec): Failure {
  return failure('INTERRUPTED', `${id} was interrupted`);
}

/** What an action threw: a file that cannot be read or written is no bug, but a full disk, or what somebody put in its place. */
function thrown({id}: ActionSpec, error: unknown): Result<never> {
  const isOfSystem = typeof error === 'object' && error !== null && 'syscall' in error;
  if (isOfSystem) return fail('IO', `${id}: ${messageOf(error)}`);
  const details = error instanceof Error ? error.stack : undefined;
  return fail('BUG', `internal error in ${id}: ${messageOf(error)}`, {details});
}

/** A new output: its current path, which may already be the final one. */
interface Made {
  readonly output: OutputSpec;
  readonly content: FileContent;
  readonly from: string;
}

/** The current paths of the outputs, by name. */
function sourcesOf(made: readonly Made[]): Record<string, string> {
  return Object.fromEntries(made.map(({output, from}) => [output.name, from]));
}

/** The final paths of the outputs, by name. */
function placesOf(spec: ActionSpec): Record<string, string> {
  return Object.fromEntries(spec.outputs.map(({name, path}) => [name, path]));
}

/** Digests the outputs of an action. Fails with ACTION if a declared output is missing. */
async function readOutputs(
  spec: ActionSpec,
  paths: Readonly<Record<string, string>>,
): Promise<Result<readonly Made[]>> {
  const made: Made[] = [];
  for (const output of spec.outputs) {
    const from = paths[output.name] ?? output.path;
    const found = statFile(from);
    if (found === undefined) return fail('ACTION', `${spec.id} did not write its output ${output.name}`);
    if (spec.storage === 'in-place' && output.executable === true && !isExecutable(found)) {
      return fail('ACTION', `${spec.id} did not make its output ${output.name} executable`);
    }
    const content = await hashFile(from);
    if (!content.ok) return content;
    made.push({output, content: content.value, from});
  }
  return ok(made);
}
