import {join} from 'node:path';
import {localSlots} from '../src/exec/job-slots.js';
import type {HostContext} from '../src/pipeline/build-options.js';
import type {Result} from '../src/model/result.js';
import {CACHE} from '../support/rig.js';

/** Where the interpreters that are measured lie, and what they run. */
export const FOLDER = join(CACHE, 'bench');

/** For the hosts' own functions: what has to be linked for the comparison is linked here, in silence. */
export function quietContext(): HostContext {
  return {
    events: {emit: () => undefined},
    signal: new AbortController().signal,
    cwd: process.cwd(),
    userEnvironment: process.env,
    cacheDir: join(CACHE, 'store'),
    jobs: localSlots(2),
    force: false,
    dryRun: false,
    verify: true,
  };
}

/** The value, or an error that says why there is none: whoever runs a benchmark reads it. */
export function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const {code, message, hint, details} = result.failure;
  throw new Error([`${code}: ${message}`, hint, details].filter((part) => part !== undefined).join('\n'));
}
