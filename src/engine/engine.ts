import {setImmediate} from 'node:timers/promises';
import pLimit from 'p-limit';
import {TEMPORARY} from '../fs/files.js';
import type {RemoteCache} from '../cache/remote/remote.js';
import type {Store} from '../cache/store.js';
import type {JobSlots} from '../exec/job-slots.js';
import type {ActionId, ActionResult, Artifact, Outcome} from '../model/action.js';
import type {ActionSpec} from '../model/action-spec.js';
import {digestOf, type Digest} from '../model/digest.js';
import type {EventSink} from '../model/events.js';
import {failure, type Failure} from '../model/failure.js';
import {err, fail, ok, type Result} from '../model/result.js';
import {decide, type Decision} from './decide.js';
import {type Account, type Cause, explainWhy, sentence, type Why} from './causes.js';
import {explainDifference} from './key-difference.js';
import {openJournal, type JournalOutput} from './journal.js';
import {contractFailure, keyOf, partsOf, type ActionKey} from './keys.js';
import {type DoneAction, writeLastRun} from './last-run.js';
import {createPerformer, type Done} from './perform.js';
import {openSources, type SourceFile} from './source-digests.js';
import {sweep} from './staging.js';
import type {FileStamp} from './path-state.js';
import {createTally, type EngineSummary} from './tally.js';
import {createStoreAccess, type Found} from './store-access.js';

export interface EngineOptions {
  /** Where the engine keeps what it remembers: an absolute path. Its lock (`acquireLock`) must be held. */
  readonly buildDir: string;
  /** Results of earlier builds on this machine; undefined to go without. */
  readonly store: Store | undefined;
  /** Results of others; it is asked for what the store does not have. */
  readonly remote?: RemoteCache | undefined;
  /** Each action that runs takes one of them. */
  readonly jobs: JobSlots;
  readonly events: EventSink;
  /** Ends the build: no further action starts, and the running ones are told. */
  readonly signal: AbortSignal;
  /** Runs every action, whatever is known of it. */
  readonly force?: boolean;
  /** Decides everything and does nothing. */
  readonly dryRun?: boolean;
}

/** Runs the actions of one build. */
export interface Engine {
  /**
   * Brings the outputs of an action about in the cheapest way: leaves them in place, takes them from the store, or
   * executes the action. Calls with the same id and key share one execution. Fails as the action does; with ACTION when
   * it breaks its contract, with IO when files cannot be read or written, and with INTERRUPTED after an abort. A
   * failed action leaves the last good outputs as they were.
   */
  readonly run: (spec: ActionSpec) => Promise<Result<ActionResult>>;
  /** The digest of a source file. Fails with IO. */
  readonly source: (name: string, path: string) => Promise<Result<Artifact>>;
  /** The same for many files, in their order. */
  readonly sources: (files: readonly SourceFile[]) => Promise<Result<Artifact[]>>;
  /** What a source file looked like when it was digested; undefined for one that was not asked for. */
  readonly stampOf: (path: string) => FileStamp | undefined;
  /** Whether an artifact does not exist yet, since this is a dry run and its action would have to run first. */
  readonly isPending: (artifact: Artifact) => boolean;
  /** All reasons to bring an action of this build about anew; none for one that was fresh. */
  readonly reasonsFor: (id: ActionId) => readonly string[];
  readonly summary: () => EngineSummary;
  /**
   * Writes down what the next build needs to know, and waits until what was made has been offered to the remote cache. Call
   * it at the end, also of a build that failed. Fails with IO.
   */
  readonly finish: () => Promise<Result<void>>;
}

/** For how many actions at once files are looked at. */
const LOOKING_AT_ONCE = 32;

/** Why an action did not have to run. */
const WITHOUT_WORK = {
  fresh: 'up to date',
  cached: 'result in the cache',
  remote: 'result in the remote cache',
};

/** Makes the engine for one build. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const {buildDir, events, signal, force = false, dryRun = false} = options;
  const {journal, notice} = await openJournal(buildDir);
  if (notice !== undefined) events.emit({type: 'notice', message: notice});
  const sources = await openSources(buildDir);
  const store = createStoreAccess(options.store, options.remote, events);
  const started = new Map<ActionId, number>();
  const onRestore = (id: ActionId): void => void started.set(id, performance.now());
  const performer = createPerformer({buildDir, events, signal, journal, sources, store, onRestore});
  const looking = pLimit(LOOKING_AT_ONCE);
  /** What follows from something that was brought about anew does not queue up behind all that is fresh. */
  const hurrying = pLimit(LOOKING_AT_ONCE);
  /** What is up to date is decided without a pause: now and then, processes that run meanwhile get a turn. */
  let looks = 0;
  let turn: Promise<void> = Promise.resolve();
  const tally = createTally();
  const asked = new Map<
    ActionId,
    {readonly key: ActionKey; readonly result: Promise<Result<ActionResult>>}
  >();
  const writers = new Map<string, ActionId>();
  /** Why actions of this run are not simply fresh, all of their causes, and in brief. */
  const causes = new Map<ActionId, readonly Cause[]>();
  const whys = new Map<ActionId, Why>();
  const fresh: ActionId[] = [];
  const done: DoneAction[] = [];
  const began = new Date();
  const pending = new Set<Digest>();
  const context = {journal, force, isPending: (digest: Digest) => pending.has(digest), lookUp};

  async function lookUp(spec: ActionSpec, key: ActionKey): Promise<Found | undefined> {
    const askedAt = performance.now();
    const found = await store.get(spec, key);
    const ms = performance.now() - askedAt;
    events.emit({type: 'cache-lookup', id: spec.id, found: found?.origin ?? null, ms});
    return found;
  }

  function note(spec: ActionSpec, {producers}: ActionKey, outcome: Outcome | 'failed', ms: number): void {
    if (outcome === 'fresh') {
      fresh.push(spec.id);
      return;
    }
    const why = whys.get(spec.id) ?? explainWhy(began.toISOString(), [], () => undefined);
    const account: Account = (outcome === 'failed' ? undefined : journal.get(spec.id)?.account) ?? {
      ...why,
      outcome,
    };
    const needs = [...new Set(producers.filter((id) => id !== null))];
    done.push({id: spec.id, ms: Math.round(ms * 10) / 10, account, needs});
  }

  async function bringAbout(spec: ActionSpec, key: ActionKey): Promise<Result<ActionResult>> {
    const askedAt = performance.now();
    const result = await attemptAction(spec, key);
    const startedAt = started.get(spec.id);
    const ms = performance.now() - (startedAt ?? askedAt);
    const {step} = partsOf(spec.id);
    if (!result.ok) {
      const stopped = result.failure.code === 'INTERRUPTED';
      if (!stopped) tally.count(spec.id, 'failed');
      // What an abort kept from starting is nobody's news.
      if (stopped && startedAt === undefined) return result;
      note(spec, key, 'failed', ms);
      events.emit({type: 'action-failed', id: spec.id, step, failure: result.failure, ms});
      return result;
    }
    const {outcome, outputs, bytes} = result.value;
    tally.count(spec.id, outcome);
    note(spec, key, outcome, ms);
    const reason = reasonFor(spec.id, outcome);
    const size = bytes === undefined ? {} : {bytes};
    events.emit({type: 'action-finished', id: spec.id, step, outcome, reason, ms, ...size});
    return ok({id: spec.id, outcome, outputs: artifacts(spec, outputs)});
  }

  async function attemptAction(spec: ActionSpec, key: ActionKey): Promise<Result<Done>> {
    if (signal.aborted) return err(interrupted(spec));
    const broken = contractFailure(spec) ?? claim(spec);
    if (broken !== undefined) return err(broken);
    const follows = spec.inputs.some(({producer}) => producer !== undefined && causes.has(producer));
    const decision = await (follows
      ? hurrying(decide, spec, key, context)
      : looking(async () => {
          looks += 1;
          if (looks % LOOKING_AT_ONCE === 0) turn = setImmediate();
          await turn;
          return decide(spec, key, context);
        }));
    if (decision.kind === 'fresh') {
      return ok({outcome: 'fresh', outputs: digestsOf(decision.outputs), bytes: decision.bytes});
    }
    causes.set(spec.id, decision.causes);
    const why = explainWhy(
      began.toISOString(),
      decision.causes,
      (id) => whys.get(id) ?? journal.get(id)?.account,
    );
    whys.set(spec.id, why);
    if (dryRun) return ok(foresee(spec, decision));
    if (decision.kind === 'found') {
      const restored = await performer.restore(spec, key, why, decision.found);
      if (!restored.ok) return restored;
      if (restored.value !== undefined) return ok(restored.value);
    }
    return options.jobs.run(async () => {
      if (signal.aborted) return err(interrupted(spec));
      started.set(spec.id, performance.now());
      const reason = sentence(why);
      events.emit({type: 'action-started', id: spec.id, step: partsOf(spec.id).step, reason});
      return performer.execute(spec, key, why);
    });
  }

  function reasonFor(id: ActionId, outcome: Outcome): string {
    if (outcome !== 'executed') return WITHOUT_WORK[outcome];
    const why = whys.get(id);
    return why === undefined ? 'unknown reason' : sentence(why);
  }

  /** Two actions that write to one place would undo each other's work in every build. */
  function claim(spec: ActionSpec): Failure | undefined {
    for (const {path} of spec.outputs) {
      const other = writers.get(path);
      if (other !== undefined) return failure('ACTION', `${spec.id} and ${other} both write ${path}`);
      writers.set(path, spec.id);
    }
    return undefined;
  }

  /** What an action would come to. Outputs that only its execution could tell get a digest that stands for "unknown". */
  function foresee(spec: ActionSpec, decision: Exclude<Decision, {readonly kind: 'fresh'}>): Done {
    if (decision.kind === 'found') {
      const {origin, record} = decision.found;
      return {
        outcome: origin,
        outputs: digestsOf(Object.fromEntries(record.outputs.map((o) => [o.name, o]))),
        bytes: record.outputs.reduce((sum, {size}) => sum + size, 0),
      };
    }
    const outputs: Record<string, Digest> = {};
    for (const {name} of spec.outputs) {
      const known = decision.expected?.[name]?.digest;
      if (known !== undefined) {
        outputs[name] = known;
        continue;
      }
      const unknown = digestOf(`not known yet: ${spec.id} ${name}`);
      pending.add(unknown);
      outputs[name] = unknown;
    }
    return {outcome: 'executed', outputs, bytes: undefined};
  }

  return {
    run(spec) {
      const key = keyOf(spec, journal.get(spec.id));
      const earlier = asked.get(spec.id);
      if (earlier === undefined) {
        const result = bringAbout(spec, key);
        asked.set(spec.id, {key, result});
        return result;
      }
      if (earlier.key.key === key.key) return earlier.result;
      const details = explainDifference(earlier.key, key)
        .map(({text}) => text)
        .join('\n');
      const message = `${spec.id} was requested twice in one build, with different declarations`;
      return Promise.resolve(fail('ACTION', message, {details}));
    },
    async source(name, path) {
      const found = await sources.digest([{name, path}]);
      if (!found.ok) return found;
      const [artifact] = found.value;
      return artifact === undefined ? fail('IO', `cannot read ${path}`) : ok(artifact);
    },
    sources: sources.digest,
    stampOf: sources.stampOf,
    isPending: ({digest}) => pending.has(digest),
    reasonsFor: (id) => causes.get(id)?.map(({text}) => text) ?? [],
    summary: tally.summary,
    async finish() {
      if (dryRun) return ok();
      const ms = Math.round(Date.now() - began.getTime());
      if (asked.size > 0) await writeLastRun(buildDir, {run: began.toISOString(), ms, fresh, done});
      const saved = await Promise.all([journal.save(), sources.save()]);
      // Runs that were killed while they wrote these. A run with nothing to do looks at no more than it has to.
      if (done.length > 0) await sweep(buildDir, TEMPORARY);
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
  for (const {name, path} of spec.outputs) {
    const digest = digests[name];
    if (digest !== undefined) outputs[name] = {name, path, digest, producer: spec.id};
  }
  return outputs;
}

function interrupted(spec: ActionSpec): Failure {
  return failure('INTERRUPTED', `${spec.id} was interrupted`);
}
