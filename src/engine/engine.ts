import pLimit from 'p-limit';
import type {RemoteCache} from '../cache/remote/remote.js';
import type {Store} from '../cache/store.js';
import type {ActionId, ActionResult, ActionSpec, Artifact} from '../model/action.js';
import {digestOf, type Digest} from '../model/digest.js';
import type {EventSink} from '../model/events.js';
import {failure, type Failure} from '../model/failure.js';
import {err, fail, ok, type Result} from '../model/result.js';
import {decide, type Decision} from './decide.js';
import {explainDifference, summarise} from './explain.js';
import {openJournal, type JournalOutput} from './journal.js';
import {contractFailure, keyOf, partsOf, type ActionKey} from './keys.js';
import {createPerformer, type Done} from './perform.js';
import {openSources, type SourceFile} from './sources.js';
import type {FileStamp} from './stamps.js';
import {createTally, type EngineSummary} from './tally.js';
import {createStoreAccess} from './store-access.js';

export interface EngineOptions {
  /** Where the engine keeps what it remembers: an absolute path. Its lock (`acquireLock`) must be held. */
  readonly buildDir: string;
  /** Results of earlier builds on this machine; undefined to go without. */
  readonly store: Store | undefined;
  /** Results of others; it is asked for what the store does not have. */
  readonly remote?: RemoteCache | undefined;
  /** How many actions may run at once. */
  readonly jobs: number;
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
  /** All reasons for what was done with an action of this build. */
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

/** Makes the engine for one build. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const {buildDir, events, signal, force = false, dryRun = false} = options;
  const {journal, notice} = await openJournal(buildDir);
  if (notice !== undefined) events.emit({type: 'notice', message: notice});
  const sources = await openSources(buildDir);
  const store = createStoreAccess(options.store, options.remote, events);
  const performer = createPerformer({buildDir, events, signal, journal, sources, store});
  const slots = pLimit(options.jobs);
  const looking = pLimit(LOOKING_AT_ONCE);
  const tally = createTally();
  const asked = new Map<
    ActionId,
    {readonly key: ActionKey; readonly result: Promise<Result<ActionResult>>}
  >();
  const writers = new Map<string, ActionId>();
  const reasons = new Map<ActionId, readonly string[]>();
  const started = new Map<ActionId, number>();
  const pending = new Set<Digest>();
  const context = {journal, force, isPending: (digest: Digest) => pending.has(digest), lookUp: store.get};

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
      events.emit({type: 'action-failed', id: spec.id, step, failure: result.failure, ms});
      return result;
    }
    const {outcome, outputs} = result.value;
    tally.count(spec.id, outcome);
    const reason = summarise(reasons.get(spec.id) ?? []);
    events.emit({type: 'action-finished', id: spec.id, step, outcome, reason, ms});
    return ok({id: spec.id, outcome, outputs: artifacts(spec, outputs)});
  }

  async function attemptAction(spec: ActionSpec, key: ActionKey): Promise<Result<Done>> {
    if (signal.aborted) return err(interrupted(spec));
    const broken = contractFailure(spec) ?? claim(spec);
    if (broken !== undefined) return err(broken);
    const decision = await looking(() => decide(spec, key, context));
    reasons.set(spec.id, decision.reasons);
    if (dryRun) return ok(foresee(spec, decision));
    if (decision.kind === 'fresh') return ok({outcome: 'fresh', outputs: digestsOf(decision.outputs)});
    if (decision.kind === 'found') {
      const restored = await performer.restore(spec, key, decision.found);
      if (!restored.ok) return restored;
      if (restored.value !== undefined) return ok(restored.value);
      reasons.set(spec.id, decision.otherwise);
    }
    return slots(async () => {
      if (signal.aborted) return err(interrupted(spec));
      started.set(spec.id, performance.now());
      const reason = summarise(reasons.get(spec.id) ?? []);
      events.emit({type: 'action-started', id: spec.id, step: partsOf(spec.id).step, reason});
      return performer.execute(spec, key);
    });
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
  function foresee(spec: ActionSpec, decision: Decision): Done {
    if (decision.kind === 'fresh') return {outcome: 'fresh', outputs: digestsOf(decision.outputs)};
    if (decision.kind === 'found') {
      const {origin, record} = decision.found;
      return {
        outcome: origin,
        outputs: digestsOf(Object.fromEntries(record.outputs.map((o) => [o.name, o]))),
      };
    }
    const outputs: Record<string, Digest> = {};
    for (const {name} of spec.outputs) {
      const unknown = digestOf(`not known yet: ${spec.id} ${name}`);
      pending.add(unknown);
      outputs[name] = unknown;
    }
    return {outcome: 'executed', outputs};
  }

  return {
    run(spec) {
      const key = keyOf(spec);
      const earlier = asked.get(spec.id);
      if (earlier === undefined) {
        const result = bringAbout(spec, key);
        asked.set(spec.id, {key, result});
        return result;
      }
      if (earlier.key.key === key.key) return earlier.result;
      const details = explainDifference(earlier.key.record, key.record).join('\n');
      const message = `${spec.id} was asked for twice in one build, with different declarations`;
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
    reasonsFor: (id) => reasons.get(id) ?? [],
    summary: tally.summary,
    async finish() {
      if (dryRun) return ok();
      const saved = await Promise.all([journal.save(), sources.save()]);
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
