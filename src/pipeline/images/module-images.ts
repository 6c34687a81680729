import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {assemblerText} from '../../codegen/object-file/assembler-text.js';
import {writeElf} from '../../codegen/object-file/write-elf.js';
import {generatePlannedImage} from '../../codegen/planned-image.js';
import {readFile} from '../../fs/recorded-fs.js';
import type {Artifact} from '../../model/action.js';
import {type Result, ok} from '../../model/result.js';
import {output} from '../action-output.js';
import {imageFileName} from './image-files.js';
import {GETPATH, type ModulePlan} from '../modules/module-plan.js';
import type {Tools} from './image-tools.js';
import type {TargetLayout} from './target-layout.js';

/** `generate:<module>`: the object file of a module's image, from its code unit. Fails with GENERATE and MARSHAL. */
export async function generateObject(
  plan: ModulePlan,
  unit: Artifact,
  targetLayout: TargetLayout,
  tools: Tools,
): Promise<Result<Artifact>> {
  const {engine, places, toolchain} = tools;
  const {layout, addressModel} = toolchain;
  const base = join(places.images, imageFileName(plan.module));
  const getpathHeader = plan.module === GETPATH ? tools.getpathHeaders[0] : undefined;
  const generated = await engine.run({
    id: `generate:${plan.module}`,
    tools: [tools.generator],
    arguments: {
      module: plan.module,
      filename: plan.filename,
      cpythonFrozen: plan.isCPythonFrozen,
      addressModel,
      ...(tools.assembler ? {assembler: true} : {}),
    },
    environment: {},
    inputs: [
      unit,
      tools.layoutHeader,
      targetLayout.artifact,
      ...(getpathHeader === undefined ? [] : [getpathHeader]),
    ],
    outputs: [{name: 'o', path: `${base}.o`}, ...(tools.assembler ? [{name: 's', path: `${base}.s`}] : [])],
    storage: 'shared',
    isOptional: !plan.isRequired,
    inProcess: true,
    async execute({outputs}) {
      const imageLayout = await targetLayout.read();
      const image = generatePlannedImage(plan, await readFile(unit.path), {
        layout,
        imageLayout,
        addressModel,
        ...(getpathHeader === undefined ? {} : {frozenHeader: await readFile(getpathHeader.path, 'utf8')}),
      });
      if (!image.ok) return image;
      await writeFile(outputs['o'] ?? '', writeElf(image.value, imageLayout.machine));
      if (outputs['s'] !== undefined) await writeFile(outputs['s'], assemblerText(image.value));
      return ok();
    },
  });
  return generated.ok ? ok(output(generated.value, 'o')) : generated;
}
