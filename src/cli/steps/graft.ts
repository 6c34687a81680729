import {dirname, resolve} from 'node:path';
import {copyExecutable} from '../../hosts/installed/copy-executable.js';
import {patchelfAt} from '../../hosts/installed/patchelf.js';
import {fail} from '../../model/result.js';
import type {StepModule} from './step-module.js';
import {readStepTarget} from './step-target.js';

/** `step graft`: a copy of the target's executable that needs a library of images, which lies beside it. Fails with PYTHON, IO and LINK. */
export const options: StepModule['options'] = {
  target: {type: 'string'},
  // The executable to copy
  original: {type: 'string'},
  library: {type: 'string'},
  out: {type: 'string'},
};

export const run: StepModule['run'] = async ({text}, {environment, signal, cwd}) => {
  const {graft} = await readStepTarget(resolve(cwd, text('target')));
  if (typeof graft === 'string') return fail('PYTHON', graft);
  return copyExecutable(
    {from: resolve(cwd, text('original')), origin: dirname(graft.original)},
    text('library'),
    resolve(cwd, text('out')),
    patchelfAt(graft.patchelf, {environment, signal}),
  );
};
