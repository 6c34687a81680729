import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {writeElf} from '../../codegen/object-file/write-elf.js';
import {generatePlannedImage} from '../../codegen/planned-image.js';
import {decodeImageLayout} from '../../codegen/probe/image-layout.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {readRegular, readRegularText} from '../../fs/regular-file.js';
import {ok} from '../../model/result.js';
import type {StepModule} from './step-module.js';

/** `step generate`: a code unit becomes an object file. Fails with PYTHON_VERSION, MARSHAL and GENERATE. */
export const options: StepModule['options'] = {
  series: {type: 'string'},
  module: {type: 'string'},
  filename: {type: 'string'},
  unit: {type: 'string'},
  // what `step read-probe` wrote, in the same address model
  layout: {type: 'string'},
  object: {type: 'string'},
  'position-independent': {type: 'boolean'},
  'cpython-frozen': {type: 'boolean'},
};

export const run: StepModule['run'] = async ({text, flag}, {cwd}) => {
  const layout = await loadLayout(text('series'));
  if (!layout.ok) return layout;
  const plan = {
    module: text('module'),
    filename: text('filename'),
    isCPythonFrozen: flag('cpython-frozen'),
  };
  const imageLayout = decodeImageLayout(await readRegularText(resolve(cwd, text('layout'))));
  const image = generatePlannedImage(plan, await readRegular(resolve(cwd, text('unit'))), {
    layout: layout.value,
    imageLayout,
    addressModel: flag('position-independent') ? 'position-independent' : 'absolute',
  });
  if (!image.ok) return image;
  await writeFile(resolve(cwd, text('object')), writeElf(image.value, imageLayout.machine));
  return ok();
};
