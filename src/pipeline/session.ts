import {openStore, type Store} from '../cache/store.js';
import {DEFAULT_LIMITS} from '../cache/tidy.js';
import {createEngine, type Engine} from '../engine/engine.js';
import {acquireLock} from '../engine/lock.js';
import {currentRecording} from '../fs/recording.js';
import type {Result} from '../model/result.js';
import type {HostContext} from './build-options.js';

/**
 * Runs a pipeline with an engine on a build directory: takes the lock, opens the store (a build goes on without one), and
 * writes the state for the next build at the end, also after a failure.
 */
export async function withEngine<T>(
  buildDir: string,
  context: HostContext,
  pipeline: (engine: Engine) => Promise<Result<T>>,
): Promise<Result<T>> {
  const lock = await acquireLock(buildDir);
  if (!lock.ok) return lock;
  currentRecording()?.addBuildDir(buildDir);
  try {
    const store = await openStore(context.cacheDir);
    if (!store.ok) {
      context.events.emit({
        type: 'warning',
        message: `building without the cache: ${store.failure.message}`,
        ...(store.failure.hint === undefined ? {} : {hint: store.failure.hint}),
      });
    }
    const engine = await createEngine({
      buildDir,
      store: store.ok ? store.value : undefined,
      remote: context.remote,
      jobs: context.jobs,
      events: context.events,
      signal: context.signal,
      force: context.force,
      dryRun: context.dryRun,
    });
    const result = await pipeline(engine);
    const finished = await engine.finish();
    if (store.ok && !context.dryRun && !context.signal.aborted) await tidy(store.value, context);
    return result.ok && !finished.ok ? finished : result;
  } finally {
    await lock.value.release();
  }
}

/** Keeps the cache within its limits. */
async function tidy(store: Store, {cacheLimits = DEFAULT_LIMITS, events}: HostContext): Promise<void> {
  const collected = await store.tidy(cacheLimits);
  if (collected === undefined || collected.removedBytes === 0) return;
  const megabytes = Math.ceil(collected.removedBytes / 1_000_000);
  const message = `removed ${megabytes} MB of the least recently used results from the cache in ${store.root}`;
  events.emit({type: 'notice', message});
}
