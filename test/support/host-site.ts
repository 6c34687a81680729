/** What hosts and the pipeline run in, for tests that give them tools of their own instead of a whole CPython. */
import {join} from 'node:path';
import {scrubbedEnvironment} from '../../src/exec/environment.js';
import {localSlots} from '../../src/exec/job-slots.js';
import type {EventInput} from '../../src/model/events.js';
import type {HostContext} from '../../src/pipeline/build-options.js';
import type {Site} from '../../src/pipeline/host.js';
import {withEngine} from '../../src/pipeline/session.js';
import type {Result} from '../../src/model/result.js';

/** A context whose cache is in a directory, and whose events go nowhere. */
export function hostContext(folder: string, change: Partial<HostContext> = {}): HostContext {
  return {
    events: {emit: () => undefined},
    signal: new AbortController().signal,
    cwd: folder,
    userEnvironment: process.env,
    cacheDir: join(folder, 'cache'),
    jobs: localSlots(2),
    force: false,
    dryRun: false,
    verify: true,
    ...change,
  };
}

export interface SiteRun<T> {
  readonly result: Result<T>;
  readonly events: readonly EventInput[];
  /** `<id> <outcome>` of each action that was finished, in order. */
  readonly actions: readonly string[];
}

/** Runs one build in `folder`/build, as a host or the pipeline does. */
export async function inSite<T>(
  folder: string,
  act: (site: Site) => Promise<Result<T>>,
  change: Partial<HostContext> = {},
): Promise<SiteRun<T>> {
  const events: EventInput[] = [];
  const context = hostContext(folder, {events: {emit: (event) => void events.push(event)}, ...change});
  const environment = scrubbedEnvironment({}, process.env);
  const result = await withEngine(join(folder, 'build'), context, (engine) =>
    act({engine, context, environment}),
  );
  const actions = events.flatMap((event) =>
    event.type === 'action-finished' ? [`${event.id} ${event.outcome}`] : [],
  );
  return {result, events, actions};
}
