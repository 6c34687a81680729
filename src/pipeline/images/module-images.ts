import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {generatePlannedImage} from '../../codegen/planned-image.js';
import {readFile} from '../../fs/recorded-fs.js';
import type {ActionResult, Artifact} from '../../model/action.js';
import {type Result, ok} from '../../model/result.js';
import {imageFileName} from './image-files.js';
import {GETPATH, type ModulePlan} from '../modules/module-plan.js';
import type {Tools} from './image-tools.js';

/** `generate:<module>`: generates C from the code unit. Fails with GENERATE and MARSHAL. */
export async function generateC(plan: ModulePlan, unit: Artifact, tools: Tools): Promise<Result<Artifact>> {
  const {engine, places, layoutHeader, toolchain} = tools;
  const {layout, addressModel} = toolchain;
  const getpathHeader = plan.module === GETPATH ? tools.getpathHeaders[0] : undefined;
  const generated = await engine.run({
    id: `generate:${plan.module}`,
    tools: [tools.generator],
    arguments: {
      module: plan.module,
      filename: plan.filename,
      cpythonFrozen: plan.isCPythonFrozen,
      addressModel,
    },
    environment: {},
    inputs: [
      unit,
      layoutHeader,
      ...tools.wellKnownHeaders,
      ...(getpathHeader === undefined ? [] : [getpathHeader]),
    ],
    outputs: [{name: 'c', path: join(places.images, `${imageFileName(plan.module)}.c`)}],
    storage: 'shared',
    isOptional: !plan.isRequired,
    async execute({outputs}) {
      const image = generatePlannedImage(plan, await readFile(unit.path), {
        layout,
        wellKnown: tools.wellKnown,
        addressModel,
        ...(getpathHeader === undefined ? {} : {frozenHeader: await readFile(getpathHeader.path, 'utf8')}),
      });
      if (!image.ok) return image;
      await writeFile(outputs['c'] ?? '', image.value);
      return ok();
    },
  });
  return generated.ok ? ok(output(generated.value, 'c')) : generated;
}

/** `cc:<module>`: compiles the C to an object file. Fails with CC and LAYOUT. */
export async function compileC(plan: ModulePlan, source: Artifact, tools: Tools): Promise<Result<Artifact>> {
  const action = tools.compiler.action({
    target: plan.module,
    source,
    kind: 'data',
    output: {name: 'o', path: join(tools.places.images, `${imageFileName(plan.module)}.o`)},
  });
  const compiled = await tools.engine.run({...action, isOptional: !plan.isRequired});
  return compiled.ok ? ok(output(compiled.value, 'o')) : compiled;
}

/** An output that the action declares. */
export function output(result: ActionResult, name: string): Artifact {
  const artifact = result.outputs[name];
  if (artifact === undefined) throw new Error(`${result.id} declares no output ${name}`);
  return artifact;
}
