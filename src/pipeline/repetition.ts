import {digestOf} from '../model/digest.js';
import {canonicalJson} from '../model/canonical-json.js';
import type {Interpreter} from '../cpython/interpreter/run-script.js';
import {type Workers, startWorkers} from '../cpython/interpreter/worker.js';

/** The connection of a build to earlier and later ones in a watch. */
export interface Repetition {
  readonly workers: WarmWorkers;
  /**
   * Gets the sources of the modules to freeze and the traced scripts, before they are read, also in a build that fails later: absolute paths. It
   * may be called twice, for the modules of the last build and for newly discovered ones.
   */
  readonly onSources: (sources: readonly string[]) => void;
  /** Gets what else the result depends on, after the last call of `onSources`: files, and directories whose every name matters. */
  readonly onReads?: (files: readonly string[], listed: readonly string[]) => void;
  /** Forces a new discovery although no import statement changed: a text that no earlier build had. */
  readonly discoverAnew: string | undefined;
}

/** Python workers that stay between builds, so that a build need not wait for their start. */
export interface WarmWorkers {
  /** The workers of an interpreter, where `identity` decides the code that it makes. Stopping these does nothing. */
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
