import {describeCodec} from '../../cpython/interpreter/site-description.js';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {type Workers, startWorkers} from '../../cpython/interpreter/worker.js';
import type {Engine} from '../../engine/engine.js';
import {readdir} from '../../fs/recorded-fs.js';
import {currentRecording, withoutRecording} from '../../fs/recording.js';
import type {Artifact} from '../../model/action.js';
import type {Result} from '../../model/result.js';
import {basename} from 'node:path';

/**
 * Compiles sources in encodings that only `site` makes known (a codec that a .pth file or sitecustomize registers), in processes
 * that start as programs do. They live for one build, because the code of a codec can change.
 */
export interface SiteCompiler {
  readonly compile: Workers['compile'];
  /** What decides how an encoding is decoded, besides the interpreter: inputs of the action. Fails with DISCOVER, PYTHON and IO. */
  readonly inputsFor: (encoding: string) => Promise<Result<readonly Artifact[]>>;
  readonly stop: () => Promise<void>;
}

export function createSiteCompiler(interpreter: Interpreter, count: number, engine: Engine): SiteCompiler {
  let workers: Workers | undefined;
  const inputs = new Map<string, Promise<Result<readonly Artifact[]>>>();

  async function findInputs(encoding: string): Promise<Result<readonly Artifact[]>> {
    // What its answer depends on is recorded below.
    const described = await withoutRecording(() => describeCodec(interpreter, encoding));
    if (!described.ok) {
      currentRecording()?.addGap(`the codec ${encoding} is not known`);
      return described;
    }
    const {files, folders} = described.value;
    // A new .pth file is a new entry there.
    await Promise.all(folders.map((folder) => readdir(folder).catch(() => undefined)));
    return engine.sources(files.map((path) => ({name: `site/${basename(path)}`, path})));
  }

  return {
    compile: (request) =>
      (workers ??= startWorkers({...interpreter, count, withSite: true})).compile(request),
    inputsFor(encoding) {
      const found = inputs.get(encoding) ?? findInputs(encoding);
      inputs.set(encoding, found);
      return found;
    },
    stop: async () => workers?.stop(),
  };
}
