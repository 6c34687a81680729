import {randomUUID} from 'node:crypto';
import {existsSync} from 'node:fs';
import type {BuildOutcome} from '../model/outcomes.js';
import {type Repetition, createWarmWorkers} from '../pipeline/repetition.js';
import type {EventSink} from '../model/events.js';
import {type Failure, failure} from '../model/failure.js';
import type {Result} from '../model/result.js';
import {BuildCycle, type BuildEnd, type Changes} from './build-cycle.js';
import {type Clock, systemClock} from './clock.js';
import {type Scope, mayAffectImports, scopeOf} from './scope.js';
import {Snapshot} from './snapshot.js';
import {type Watcher, type WatcherOptions, createWatcher} from './watcher.js';

export interface WatchRequest {
  /** One build. It may tell its sources through `repetition`, and is not called again before it is over. */
  readonly build: (repetition: Repetition) => Promise<Result<BuildOutcome>>;
  /** Called after each build, with its result, the changes, and its duration in milliseconds. */
  readonly onBuild: (outcome: Result<BuildOutcome>, changes: Changes, ms: number) => void | Promise<void>;
  /** Where builds write: absolute paths. */
  readonly outputs: readonly string[];
  readonly poll: boolean;
  readonly events: EventSink;
  /** Ends the watching. */
  readonly signal: AbortSignal;
}

/** Replacements for the system, for tests. */
export interface WatchSystem {
  readonly clock: Clock;
  readonly createWatcher: (options: WatcherOptions) => Watcher;
}

/**
 * When a build is over, its sources are looked at again after so many milliseconds: what chokidar drops, what the kernel
 * drops when its queue is full, and what changed while a directory was about to be watched.
 */
const LOOKS_AFTER_MS = [0, 300, 1500];
/** Without notifications of changes, the sources are polled permanently. */
const LOOK_WHEN_POLLING_MS = 1000;

/**
 * Builds, and builds again whenever something changed in the directories of what was frozen, until `signal` is aborted: the
 * answer is INTERRUPTED then. It is the failure of the first build when that ends before its modules are known, because
 * there is nothing to watch. All other failures are reported, and the watch waits for a change.
 */
export async function watchBuilds(
  {build, onBuild, outputs, poll, events, signal}: WatchRequest,
  system: WatchSystem = {clock: systemClock, createWatcher},
): Promise<Failure> {
  const {clock} = system;
  const workers = createWarmWorkers();
  let scope = scopeOf([], outputs);
  let snapshot = new Snapshot();
  let cancelLook: () => void = () => undefined;
  let wantsDiscovery = false;
  let isBlocked = false;
  let lastLost = '';
  let giveUp: (why: Failure) => void = () => undefined;
  let breakOff: (bug: unknown) => void = () => undefined;
  const over = new Promise<Failure>((resolve, reject) => {
    giveUp = resolve;
    breakOff = reject;
  });
  const onAbort = (): void => {
    giveUp(failure('INTERRUPTED', 'watching was interrupted'));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, {once: true});
  const cycle = new BuildCycle(clock, (changes) =>
    buildOnce(changes).catch((bug: unknown) => {
      breakOff(bug);
      return 'done';
    }),
  );
  const watcher = system.createWatcher({
    poll,
    events,
    onChange: (path, kind) => {
      cycle.changed(path, kind);
    },
  });

  async function buildOnce(changes: Changes): Promise<BuildEnd> {
    cancelLook();
    const began = clock.now();
    for (const path of changes) wantsDiscovery ||= mayAffectImports(path, scope);
    snapshot = new Snapshot();
    // Before modules are looked for: what appears meanwhile was perhaps not seen.
    snapshot.takeFolders(scope);
    let found: Scope | undefined;
    const take = (next: Scope): void => {
      found = next;
      snapshot.take([...next.sources, ...next.files]);
      snapshot.takeFolders(next);
    };
    const outcome = await build({
      workers,
      onSources(paths) {
        take(scopeOf(paths, outputs));
      },
      onReads(files, listed) {
        take(scopeOf([...(found?.sources ?? [])], outputs, {files, listed}));
      },
      discoverAnew: wantsDiscovery ? randomUUID() : undefined,
    });
    scope = found ?? scope;
    snapshot.take([...scope.sources, ...scope.files]);
    const lost = outcome.ok ? [] : [...scope.sources].filter((source) => !existsSync(source));
    wantsDiscovery = lost.length > 0 || (wantsDiscovery && !outcome.ok);
    if (signal.aborted) return 'done';
    if (!outcome.ok && scope.sources.size === 0) {
      giveUp(outcome.failure);
      return 'done';
    }
    if (!outcome.ok && outcome.failure.code === 'LOCKED') {
      if (!isBlocked) events.emit({type: 'notice', message: `waiting: ${outcome.failure.message}`});
      isBlocked = true;
      return 'blocked';
    }
    isBlocked = false;
    await watcher.watch(scope);
    await onBuild(outcome, changes, clock.now() - began);
    // They came and went while modules were looked for: that is tried again, once for the same files.
    const [one] = lost;
    if (one !== undefined && lost.join('\n') !== lastLost) cycle.changed(one, 'removed');
    lastLost = lost.join('\n');
    look(0);
    return 'done';
  }

  /** Checks that the files are still those that the last build read, and repeats the check for a while. */
  function look(round: number): void {
    const ms = LOOKS_AFTER_MS[round] ?? (watcher.isPolling() ? LOOK_WHEN_POLLING_MS : undefined);
    if (ms === undefined) return;
    cancelLook = clock.after(ms, () => {
      const outdated = snapshot.outdated(scope);
      for (const path of outdated) cycle.changed(path, 'written');
      if (outdated.length === 0) look(round + 1);
    });
  }

  try {
    void cycle.start();
    return await over;
  } finally {
    signal.removeEventListener('abort', onAbort);
    cancelLook();
    await cycle.stop();
    await watcher.close();
    await workers.stop();
  }
}
