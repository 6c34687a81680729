import {writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {z} from 'zod';
import {generateBuildRecord} from '../../codegen/tables/build-record.js';
import {generateIndex} from '../../codegen/tables/index-table.js';
import {planFreeze} from '../../pipeline/modules/module-plan.js';
import {preparedTables} from '../../pipeline/prepared/all-preparations.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {readRegularText} from '../../fs/regular-file.js';
import {packageVersion} from '../../fs/package-files.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {ok} from '../../model/result.js';
import type {StepModule} from './step-module.js';
import {readStepTarget} from './step-target.js';

/** `step index`: the tables through which the runtime finds images. Fails with PYTHON_VERSION. */
export const options: StepModule['options'] = {
  target: {type: 'string'},
  plan: {type: 'string'},
  c: {type: 'string'},
};

const planSchema = z.object({
  kind: z.enum(['relink', 'graft', 'overlay']),
  modules: z.array(
    z.object({
      name: z.string(),
      isPackage: z.boolean(),
      /** The directory of sys.path that it is found from: `stdlib`, or one below FLASHFREEZE_ROOT (flashfreeze.h, ff_root). */
      root: z.string(),
    }),
  ),
});

export const run: StepModule['run'] = async ({text}, {cwd}) => {
  const target = await readStepTarget(resolve(cwd, text('target')));
  const {kind, modules} = planSchema.parse(JSON.parse(await readRegularText(resolve(cwd, text('plan')))));
  const layout = await loadLayout(target.series);
  if (!layout.ok) return layout;
  const frozen = kind === 'overlay' ? [] : target.frozen;
  const plan = planFreeze(
    {
      target: {stdlib: target.stdlib},
      frozenModules: frozen.map(({name, origin, path}) => ({
        name,
        origin,
        source: {path: join(target.stdlib, path), name: `Lib/${path}`},
      })),
      getpath: undefined,
    },
    modules.map(({name, isPackage, root}) => ({
      name,
      isPackage,
      kind: 'source',
      origin: `${root === 'stdlib' ? target.stdlib : root}/${name.replaceAll('.', '/')}${isPackage ? '/__init__' : ''}.py`,
      loader: null,
    })),
    {frozenFirst: false, restsCollector: false, exitsFast: false, modules: modules.map(({name}) => name)},
  );
  const index = generateIndex({
    layout: layout.value,
    ...plan,
    hasGetpath: false,
    hasStamps: false,
    preparedTables: await preparedTables({}),
    ...(kind === 'relink' ? {} : {targetVersion: target.sysVersion}),
  });
  const record = canonicalJson({flashfreeze: packageVersion(), python: target.version, host: kind});
  await writeFile(resolve(cwd, text('c')), `${index}\n${generateBuildRecord(layout.value, record)}`);
  return ok();
};
