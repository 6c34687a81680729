import {resolve} from 'node:path';
import {compileFailure, startWorkers} from '../../cpython/interpreter/worker.js';
import {err, type Result, ok} from '../../model/result.js';
import type {StepModule} from './step-module.js';

/** `step compile`: a `.py` becomes a code unit, in the target Python. Fails with COMPILE. */
export const options: StepModule['options'] = {
  python: {type: 'string'},
  source: {type: 'string'},
  filename: {type: 'string'},
  unit: {type: 'string'},
  imports: {type: 'string'},
};

export const run: StepModule['run'] = async ({text}, {environment, signal, cwd}): Promise<Result<void>> => {
  const path = (name: string): string => resolve(cwd, text(name));
  const workers = startWorkers({python: path('python'), environment, signal, count: 1});
  try {
    const source = path('source');
    const problem = await workers.compile({
      source,
      filename: text('filename'),
      optimize: 0,
      output: path('unit'),
      importsOutput: path('imports'),
    });
    if (!problem.ok) return problem;
    return problem.value === undefined ? ok() : err(compileFailure(source, problem.value));
  } finally {
    await workers.stop();
  }
};
