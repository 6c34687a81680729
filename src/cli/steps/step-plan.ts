import {join} from 'node:path';
import {z} from 'zod';
import {readRegularText} from '../../fs/regular-file.js';
import {type FreezePlan, planFreeze} from '../../pipeline/modules/module-plan.js';
import type {StepTarget} from './step-target.js';

/** A module of a plan. */
export const plannedModule = z.object({
  name: z.string(),
  isPackage: z.boolean(),
  /** The directory of sys.path that it is found from: `stdlib`, or one below FLASHFREEZE_ROOT (flashfreeze.h, ff_root). */
  root: z.string(),
});
type PlannedModule = z.infer<typeof plannedModule>;

export const planKind = z.enum(['relink', 'graft', 'overlay']);

/** What is frozen, in the order of imports: rules write it, or `step trace`; `step index` and `step check` read it. */
const stepPlanSchema = z.object({
  kind: planKind,
  modules: z.array(plannedModule),
  /** What traced programs compile at run time, compiled: JSON by kind. */
  prepared: z.record(z.string(), z.string()).optional(),
});
export type StepPlan = z.infer<typeof stepPlanSchema>;

export async function readStepPlan(path: string): Promise<StepPlan> {
  return stepPlanSchema.parse(JSON.parse(await readRegularText(path)));
}

/** How a new interpreter gets its images, for the check of it. */
export function wayOf({
  kind,
  modules,
}: StepPlan): {kind: 'linked' | 'grafted'} | {kind: 'loaded'; module: string} {
  if (kind === 'overlay') return {kind: 'loaded', module: modules[0]?.name ?? ''};
  return {kind: kind === 'graft' ? 'grafted' : 'linked'};
}

/** The file of a module, as importlib finds it. */
export function originOf({name, isPackage, root}: PlannedModule, stdlib: string): string {
  return `${root === 'stdlib' ? stdlib : root}/${name.replaceAll('.', '/')}${isPackage ? '/__init__' : ''}.py`;
}

/** The tables of a plan. */
export function freezePlanOf(
  {kind, modules}: Pick<StepPlan, 'kind' | 'modules'>,
  {stdlib, frozen}: Pick<StepTarget, 'stdlib' | 'frozen'>,
): FreezePlan {
  return planFreeze(
    {
      target: {stdlib},
      frozenModules: (kind === 'overlay' ? [] : frozen).map(({name, origin, path}) => ({
        name,
        origin,
        source: {path: join(stdlib, path), name: `Lib/${path}`},
      })),
      getpath: undefined,
    },
    modules.map((module) => ({
      name: module.name,
      isPackage: module.isPackage,
      kind: 'source',
      origin: originOf(module, stdlib),
      loader: null,
    })),
    {frozenFirst: false, restsCollector: false, exitsFast: false, modules: modules.map(({name}) => name)},
  );
}
