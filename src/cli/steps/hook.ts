import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {siteCustomize} from '../../hosts/overlay/start-hooks.js';
import {ok} from '../../model/result.js';
import type {StepModule} from './step-module.js';
import {readStepTarget} from './step-target.js';

/** `step hook`: the `sitecustomize.py` that loads an overlay which lies beside it, wherever that is. */
export const options: StepModule['options'] = {
  target: {type: 'string'},
  extension: {type: 'string'},
  out: {type: 'string'},
};

export const run: StepModule['run'] = async ({text}, {cwd}) => {
  const {cacheTag} = await readStepTarget(resolve(cwd, text('target')));
  await writeFile(
    resolve(cwd, text('out')),
    siteCustomize({extension: {beside: text('extension')}, cacheTag}),
  );
  return ok();
};
