import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {encodeImageLayout} from '../../codegen/probe/image-layout.js';
import {readProbe} from '../../codegen/probe/probe-object.js';
import {readRegular} from '../../fs/regular-file.js';
import {ok} from '../../model/result.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {readWellKnown} from './probe.js';
import type {StepModule} from './step-module.js';

/** `step read-probe`: how images look in a target, read from the object file of its probe. Fails with PYTHON_VERSION and LAYOUT. */
export const options: StepModule['options'] = {
  series: {type: 'string'},
  // as for `step probe`
  strings: {type: 'string'},
  'position-independent': {type: 'boolean'},
  object: {type: 'string'},
  layout: {type: 'string'},
};

export const run: StepModule['run'] = async ({text, optional, flag}, {cwd}) => {
  const layout = await loadLayout(text('series'));
  if (!layout.ok) return layout;
  const wellKnown = await readWellKnown(optional('strings'), cwd);
  const object = await readRegular(resolve(cwd, text('object')));
  const found = readProbe(object, layout.value, wellKnown, flag('position-independent'));
  if (!found.ok) return found;
  await writeFile(resolve(cwd, text('layout')), encodeImageLayout(found.value));
  return ok();
};
