import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {tryImages} from '../../cpython/interpreter/try-images.js';
import {ok} from '../../model/result.js';
import type {StepModule} from './step-module.js';

/** `step check`: whether a new interpreter starts and uses its images; writes an empty file when it does. Fails with SMOKE. */
export const options: StepModule['options'] = {
  python: {type: 'string'},
  // The directory with an overlay's sitecustomize.py
  site: {type: 'string'},
  // A module that has to be in the overlay
  module: {type: 'string'},
  out: {type: 'string'},
};

export const run: StepModule['run'] = async ({text, optional}, {environment, signal, cwd}) => {
  const site = optional('site');
  const interpreter = {
    python: resolve(cwd, text('python')),
    environment: {
      ...environment,
      // An application's modules are not run here: any directory will do.
      ...(site === undefined ? {} : {PYTHONPATH: resolve(cwd, site), FLASHFREEZE_ROOT: '/'}),
    },
    signal,
  };
  const module = optional('module');
  const used = await tryImages(
    interpreter,
    site === undefined ? ['-I', '-B'] : ['-s', '-B'],
    module === undefined ? {kind: 'linked'} : {kind: 'loaded', module},
  );
  if (!used.ok) return used;
  await writeFile(resolve(cwd, text('out')), '');
  return ok();
};
