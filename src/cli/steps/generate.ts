import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {generatePlannedImage} from '../../codegen/planned-image.js';
import {parseWellKnownStrings} from '../../codegen/objects/well-known.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {readRegular, readRegularText} from '../../fs/regular-file.js';
import {ok} from '../../model/result.js';
import type {StepModule} from './step-module.js';

/** `step generate`: a code unit becomes C. Fails with PYTHON_VERSION, MARSHAL and GENERATE. */
export const options: StepModule['options'] = {
  series: {type: 'string'},
  module: {type: 'string'},
  filename: {type: 'string'},
  unit: {type: 'string'},
  // pycore_global_strings.h, where the version has it
  strings: {type: 'string'},
  c: {type: 'string'},
  'position-independent': {type: 'boolean'},
  'cpython-frozen': {type: 'boolean'},
};

export const run: StepModule['run'] = async ({text, optional, flag}, {cwd}) => {
  const layout = await loadLayout(text('series'));
  if (!layout.ok) return layout;
  const strings = optional('strings');
  const plan = {
    module: text('module'),
    filename: text('filename'),
    isCPythonFrozen: flag('cpython-frozen'),
  };
  const image = generatePlannedImage(plan, await readRegular(resolve(cwd, text('unit'))), {
    layout: layout.value,
    wellKnown:
      strings === undefined
        ? new Map<string, string>()
        : parseWellKnownStrings(await readRegularText(resolve(cwd, strings))),
    addressModel: flag('position-independent') ? 'position-independent' : 'absolute',
  });
  if (!image.ok) return image;
  await writeFile(resolve(cwd, text('c')), image.value);
  return ok();
};
