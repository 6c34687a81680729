import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {generateBuildRecord} from '../../codegen/tables/build-record.js';
import {generateIndex} from '../../codegen/tables/index-table.js';
import {tablesOf} from '../../pipeline/prepared/all-preparations.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {packageVersion} from '../../fs/package-files.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {ok} from '../../model/result.js';
import type {StepModule} from './step-module.js';
import {freezePlanOf, readStepPlan} from './step-plan.js';
import {readStepTarget} from './step-target.js';

/** `step index`: the tables through which the runtime finds images. Fails with PYTHON_VERSION. */
export const options: StepModule['options'] = {
  target: {type: 'string'},
  plan: {type: 'string'},
  c: {type: 'string'},
};

export const run: StepModule['run'] = async ({text}, {cwd}) => {
  const target = await readStepTarget(resolve(cwd, text('target')));
  const plan = await readStepPlan(resolve(cwd, text('plan')));
  const layout = await loadLayout(target.series);
  if (!layout.ok) return layout;
  const index = generateIndex({
    layout: layout.value,
    ...freezePlanOf(plan, target),
    hasGetpath: false,
    hasStamps: false,
    preparedTables: tablesOf(plan.prepared ?? {}),
    ...(plan.kind === 'relink' ? {} : {targetVersion: target.sysVersion}),
  });
  const record = canonicalJson({flashfreeze: packageVersion(), python: target.version, host: plan.kind});
  await writeFile(resolve(cwd, text('c')), `${index}\n${generateBuildRecord(layout.value, record)}`);
  return ok();
};
