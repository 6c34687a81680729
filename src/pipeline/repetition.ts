import {digestOf} from '../model/digest.js';
import {canonicalJson} from '../model/canonical-json.js';
import type {Interpreter} from '../cpython/interpreter/run-script.js';
import {type Workers, startWorkers} from '../cpython/interpreter/worker.js';

/** What a build has to do with those before and after it, when it is one of a row (`watch`). */
export interface Repetition {
  readonly workers: WarmWorkers;
  /**
   * Is told the sources of the modules to freeze and the scripts that are traced, before they are read, also in a build that fails later: absolute paths. It
   * may be told twice, of the modules of the last build and of those found anew.
   */
  readonly onSources: (sources: readonly string[]) => void;
  /** Looks for modules anew, though no import statement changed; a text that no build before had. */
  readonly discoverAnew: string | undefined;
}

/** Pythons that compile modules and stay from one build to the next, so that a build need not wait for their start. */
export interface WarmWorkers {
  /** Those of an interpreter, `identity` being what decides the code that it makes. Stopping them does nothing. */
  readonly of: (interpreter: Interpreter, identity: string, count: number) => Promise<Workers>;
  /** Ends them. */
  readonly stop: () => Promise<void>;
}

export function createWarmWorkers(): WarmWorkers {
  let current: {readonly key: string; readonly workers: Workers} | undefined;
  const stop = async (): Promise<void> => {
    const {workers} = current ?? {};
    current = undefined;
    await workers?.stop();
  };
  return {
    async of(interpreter, identity, count) {
      const {python, environment} = interpreter;
      const key = digestOf(canonicalJson({python, environment, identity, count}));
      if (current?.key !== key) {
        await stop();
        current = {key, workers: startWorkers({...interpreter, count})};
      }
      return {compile: current.workers.compile, stop: () => Promise.resolve()};
    },
    stop,
  };
}
