import {currentRecording} from '../fs/recording.js';
import {TEMPORARY} from '../fs/files.js';
import type {RemoteCache} from '../cache/remote/remote.js';
import type {Store} from '../cache/store.js';
import type {JobSlots} from '../exec/job-slots.js';
import type {ActionId, ActionResult, Artifact} from '../model/action.js';
import type {ActionSpec} from '../model/action-spec.js';
import type {Digest} from '../model/digest.js';
import type {EventSink} from '../model/events.js';
import {err, fail, ok, type Result} from '../model/result.js';
import {decide} from './decisions/decide.js';
import {createDecisionQueue} from './decisions/decision-queue.js';
import {createExplanations} from './explanations/explanations.js';
import {sentence, type Why} from './causes.js';
import {openJournal, type JournalOutput} from './records/journal.js';
import {contractFailure, keyOf, partsOf, type ActionKey} from './keys.js';
import {openProofs, type Proofs} from './records/proofs.js';
import {confirmStamps, recordOutputs} from './records/output-stamps.js';
import {createPerformer, interrupted, type Done} from './execution/perform.js';
import {createPredictions} from './decisions/predictions.js';
import {createRequests} from './requests.js';
import {createRunLog} from './explanations/run-log.js';
import {type DigestedSource, openSources, type SourceFile} from './source-digests.js';
import {sweep} from './execution/staging.js';
import {secrecyOf} from './execution/secrecy.js';
import {createStoreAccess, type Found} from './execution/store-access.js';
import {countActions, type EngineSummary} from './tally.js';

export interface EngineOptions {
  /** The build directory, where the engine keeps its journal: an absolute path. Its lock (`acquireLock`) must be held. */
  readonly buildDir: string;
  /** The local cache; undefined for a build without it. */
  readonly store: Store | undefined;
  /** The remote cache, for what the local cache lacks. */
  readonly remote?: RemoteCache | undefined;
  /** Each action that starts processes takes one of them while it runs. */
  readonly jobs: JobSlots;
  readonly events: EventSink;
  /** Ends the build: no further action starts, and the running ones are stopped. */
  readonly signal: AbortSignal;
  /** Results that are made from what others may not read are shared like others. */
  readonly sharePrivate?: boolean | undefined;
  /** Executes every action, even if it is up to date. */
  readonly force?: boolean;
  /** Decides everything and does nothing. */
  readonly dryRun?: boolean;
}

/** Runs the actions of one build. */
export interface Engine {
  /**
   * Makes the outputs of an action, in the cheapest way: leaves them in place, takes them from the store, or
   * executes the action. Calls with the same id and key share one execution. Fails as the action does; with ACTION when
   * it breaks its contract, with IO when files cannot be read or written, and with INTERRUPTED after an abort. A
   * failed action leaves the last good outputs as they were.
   */
  readonly run: (spec: ActionSpec) => Promise<Result<ActionResult>>;
  /** The digest of a source file. Fails with IO. */
  readonly source: (name: string, path: string) => Promise<Result<Artifact>>;
  /** The same for many files, in the given order. */
  readonly sources: (files: readonly SourceFile[]) => Promise<Result<Artifact[]>>;
  /** A source file as it was when it was digested; undefined for one that was not requested. */
  readonly stampOf: (path: string) => DigestedSource | undefined;
  /** Whether an artifact does not exist yet, since this is a dry run and its action would have to run first. */
  readonly isPending: (artifact: Artifact) => boolean;
  /** All reasons why an action of this build was not up to date; none if it was. */
  readonly reasonsFor: (id: ActionId) => readonly string[];
  /** What was checked in this or an earlier build. */
  readonly proofs: Proofs;
  readonly summary: () => EngineSummary;
  /**
   * Writes the state for the next build, and waits for uploads to the remote cache. Call
   * it at the end, also of a build that failed. Fails with IO.
   */
  readonly finish: () => Promise<Result<void>>;
}

/** Makes the engine for one build. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const {buildDir, signal, force = false, dryRun = false} = options;
  const began = new Date();
  const tally = countActions(options.events);
  const events = tally.sink;
  const recording = currentRecording();
  const {journal, notice} = await openJournal(buildDir);
  if (notice !== undefined) events.emit({type: 'notice', message: notice});
  const sources = await openSources(buildDir, recording);
  const store = createStoreAccess(options.store, options.remote, events, options.sharePrivate);
  const explanations = createExplanations(began.toISOString(), journal);
  const predictions = createPredictions();
  const requests = createRequests();
  const decisions = createDecisionQueue();
  const log = createRunLog(began, explanations);
  /** The start times of actions, or of copying their results. */
  const started = new Map<ActionId, number>();
  /** When actions that ran had done their work: what comes after it waits for others. */
  const ended = new Map<ActionId, number>();
  const onRestore = (id: ActionId): void => void started.set(id, performance.now());
  const onExecute = (id: ActionId, why: Why): void => {
    started.set(id, performance.now());
    events.emit({type: 'action-started', id, step: partsOf(id).step, reason: sentence(why)});
  };
  const {jobs} = options;
  const performer = createPerformer({
    ...{buildDir, events, signal, journal, sources, store, jobs},
    ...{onRestore, onExecute, onExecuted: (id: ActionId) => void ended.set(id, performance.now())},
  });
  const context = {journal, force, isPending: predictions.isPending, lookUp};

  async function lookUp(spec: ActionSpec, key: ActionKey): Promise<Found | undefined> {
    const askedAt = performance.now();
    const found = await store.get(spec, key);
    const ms = performance.now() - askedAt;
    events.emit({type: 'cache-lookup', id: spec.id, found: found?.origin ?? null, ms});
    return found;
  }

  /** Runs an action for its first request, and reports it. */
  async function runAction(spec: ActionSpec, key: ActionKey): Promise<Result<ActionResult>> {
    const askedAt = performance.now();
    const result = await attemptAction(spec, key);
    const startedAt = started.get(spec.id);
    const ms = (ended.get(spec.id) ?? performance.now()) - (startedAt ?? askedAt);
    const {step} = partsOf(spec.id);
    if (!result.ok) {
      // An action that did not start because of an abort is not reported.
      if (result.failure.code === 'INTERRUPTED' && startedAt === undefined) return result;
      log.add(spec, key, 'failed', ms);
      const optional = spec.isOptional === true ? {optional: true as const} : {};
      events.emit({type: 'action-failed', id: spec.id, step, failure: result.failure, ms, ...optional});
      return result;
    }
    const {outcome, outputs, bytes} = result.value;
    log.add(spec, key, outcome, ms);
    const reason = explanations.reasonFor(spec.id, outcome);
    const size = bytes === undefined ? {} : {bytes};
    events.emit({type: 'action-finished', id: spec.id, step, outcome, reason, ms, ...size});
    return ok({id: spec.id, outcome, outputs: artifacts(spec, outputs)});
  }

  async function attemptAction(spec: ActionSpec, key: ActionKey): Promise<Result<Done>> {
    if (signal.aborted) return err(interrupted(spec));
    const broken = contractFailure(spec) ?? requests.claimOutputs(spec);
    if (broken !== undefined) return err(broken);
    const isUrgent = spec.inputs.some(({producer}) => producer !== undefined && explanations.has(producer));
    const decision = await decisions.run(isUrgent, () => decide(spec, key, context));
    if (decision.kind === 'fresh') {
      return ok({outcome: 'fresh', outputs: digestsOf(decision.outputs), bytes: decision.bytes});
    }
    const why = explanations.add(spec.id, decision.causes);
    if (dryRun) return ok(predictions.predict(spec, decision));
    if (decision.kind === 'found') {
      const restored = await performer.restore(spec, key, why, decision.found);
      if (!restored.ok) return restored;
      if (restored.value !== undefined) return ok(restored.value);
    }
    return performer.execute(spec, key, why);
  }

  return {
    run(spec) {
      const key = keyOf(spec, journal.get(spec.id));
      return requests.share(spec, key, () => runAction(spec, key));
    },
    async source(name, path) {
      const found = await sources.digest([{name, path}]);
      if (!found.ok) return found;
      const [artifact] = found.value;
      return artifact === undefined ? fail('IO', `cannot read ${path}`) : ok(artifact);
    },
    sources: sources.digest,
    stampOf: sources.stampOf,
    isPending: ({digest}) => predictions.isPending(digest),
    reasonsFor: explanations.causesOf,
    proofs: openProofs(buildDir, {store: options.store, force}),
    summary: tally.summary,
    async finish() {
      if (dryRun) return ok();
      const specs = requests.specs();
      if (specs.length > 0) await log.save(buildDir);
      if (!signal.aborted) await confirmStamps(specs, journal);
      const saved = await Promise.all([journal.save(), sources.save()]);
      if (recording !== undefined) {
        recordOutputs(specs, journal, recording);
        journal.record(recording);
      }
      // Leftovers of runs that were killed while writing.
      if (log.hasWork()) await sweep(buildDir, TEMPORARY);
      await store.finish();
      return saved.find((result) => !result.ok) ?? ok();
    },
  };
}

function digestsOf(outputs: Readonly<Record<string, Pick<JournalOutput, 'digest'>>>): Record<string, Digest> {
  return Object.fromEntries(Object.entries(outputs).map(([name, {digest}]) => [name, digest]));
}

function artifacts(spec: ActionSpec, digests: Readonly<Record<string, Digest>>): Record<string, Artifact> {
  const outputs: Record<string, Artifact> = {};
  const secrecy = secrecyOf(spec);
  const kept = secrecy === undefined ? {} : {secrecy};
  for (const {name, path} of spec.outputs) {
    const digest = digests[name];
    if (digest !== undefined) outputs[name] = {name, path, digest, producer: spec.id, ...kept};
  }
  return outputs;
}
