import {dirname} from 'node:path';
import {openStore, type Store} from '../cache/store.js';
import {DEFAULT_LIMITS} from '../cache/tidy.js';
import {createEngine, type Engine} from '../engine/engine.js';
import {isSharedBuildDir} from '../engine/build-dir-owner.js';
import {acquireLock} from '../engine/lock.js';
import {ensurePrivate} from '../fs/private-directory.js';
import {currentRecording} from '../fs/recording.js';
import {ok, type Result} from '../model/result.js';
import type {HostContext} from './build-options.js';
import {defaultBuildsDir} from './default-build-dir.js';

/**
 * Runs a pipeline with an engine on a build directory: takes the lock, opens the store (a build goes on without one), and
 * writes the state for the next build at the end, also after a failure.
 */
export async function withEngine<T>(
  buildDir: string,
  context: HostContext,
  pipeline: (engine: Engine) => Promise<Result<T>>,
): Promise<Result<T>> {
  const own = await ensureOwn(buildDir, context);
  if (!own.ok) return own;
  const lock = await acquireLock(buildDir, {trustOthers: context.trustCache});
  if (!lock.ok) return lock;
  currentRecording()?.addBuildDir(buildDir);
  if (context.trustCache !== true && (await isSharedBuildDir(buildDir))) {
    context.events.emit({
      type: 'warning',
      message: `other users may write to the build directory ${buildDir}, and so decide what is built in it`,
      hint: `run chmod go-w ${buildDir}, or pass --trust-cache if you trust them`,
    });
  }
  try {
    const store = await openStore(context.cacheDir, {trustOthers: context.trustCache});
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
      sharePrivate: context.sharePrivate,
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

/** A build directory that the user did not choose is one that only the user may write to. */
async function ensureOwn(buildDir: string, {cacheDir}: HostContext): Promise<Result<void>> {
  const all = defaultBuildsDir(cacheDir);
  if (dirname(buildDir) !== all) return ok();
  const made = await ensurePrivate(all);
  return made.ok ? ensurePrivate(buildDir) : made;
}

/** Keeps the cache within its limits. */
async function tidy(store: Store, {cacheLimits = DEFAULT_LIMITS, events}: HostContext): Promise<void> {
  const collected = await store.tidy(cacheLimits);
  if (collected === undefined || collected.removedBytes === 0) return;
  const megabytes = Math.ceil(collected.removedBytes / 1_000_000);
  const message = `removed ${megabytes} MB of the least recently used results from the cache in ${store.root}`;
  events.emit({type: 'notice', message});
}
