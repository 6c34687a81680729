import {writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {writeElf} from '../../codegen/object-file/write-elf.js';
import {generatePlannedImage} from '../../codegen/planned-image.js';
import {decodeImageLayout} from '../../codegen/probe/image-layout.js';
import {compileFailure, startWorkers} from '../../cpython/interpreter/worker.js';
import {readRegular, readRegularText} from '../../fs/regular-file.js';
import {withTemporaryFolder} from '../../fs/temporary-folder.js';
import {err, ok, type Result} from '../../model/result.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import type {StepContext, StepModule, StepValues} from './step-module.js';

/**
 * `step freeze`: a `.py` becomes an object file. It is compiled in the target Python on the way, in the same step: of a small module, starting Node.js
 * is most of the work. Fails with COMPILE, PYTHON_VERSION, MARSHAL and GENERATE.
 */
export const options: StepModule['options'] = {
  python: {type: 'string'},
  series: {type: 'string'},
  source: {type: 'string'},
  module: {type: 'string'},
  filename: {type: 'string'},
  // what `step read-probe` wrote, in the same address model
  layout: {type: 'string'},
  object: {type: 'string'},
  'position-independent': {type: 'boolean'},
  'cpython-frozen': {type: 'boolean'},
};

export const run: StepModule['run'] = (values, context) =>
  withTemporaryFolder('freeze', async (folder) => {
    const {text, flag} = values;
    const {cwd} = context;
    const layout = await loadLayout(text('series'));
    if (!layout.ok) return layout;
    const imageLayout = decodeImageLayout(await readRegularText(resolve(cwd, text('layout'))));
    const unit = join(folder, 'unit');
    const compiled = await compile(values, context, {unit, imports: join(folder, 'imports')});
    if (!compiled.ok) return compiled;
    const plan = {
      module: text('module'),
      filename: text('filename'),
      isCPythonFrozen: flag('cpython-frozen'),
    };
    const image = generatePlannedImage(plan, await readRegular(unit), {
      layout: layout.value,
      imageLayout,
      addressModel: flag('position-independent') ? 'position-independent' : 'absolute',
    });
    if (!image.ok) return image;
    await writeFile(resolve(cwd, text('object')), writeElf(image.value, imageLayout.machine));
    return ok();
  });

async function compile(
  {text}: StepValues,
  {environment, signal, cwd}: StepContext,
  to: {readonly unit: string; readonly imports: string},
): Promise<Result<void>> {
  const workers = startWorkers({python: resolve(cwd, text('python')), environment, signal, count: 1});
  try {
    const source = resolve(cwd, text('source'));
    const problem = await workers.compile({
      source,
      filename: text('filename'),
      optimize: 0,
      output: to.unit,
      importsOutput: to.imports,
    });
    if (!problem.ok) return problem;
    return problem.value === undefined ? ok() : err(compileFailure(source, problem.value));
  } finally {
    await workers.stop();
  }
}
