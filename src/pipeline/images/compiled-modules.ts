import {canonicalJson} from '../../model/canonical-json.js';
import type {Result} from '../../model/result.js';
import type {Tools} from './image-tools.js';
import {type Compilation, compileModule} from './compile-module.js';
import type {ModulePlan} from '../modules/module-plan.js';

/**
 * Compiles modules, each once in a build. A code unit belongs to a module *and* a file: one file can be several modules, each with
 * a `co_filename` of its own, and discovery can find that a module of the last build comes from another file now.
 */
export function compiledModules(tools: Tools): (plan: ModulePlan) => Promise<Result<Compilation>> {
  const units = new Map<string, Promise<Result<Compilation>>>();
  const filesOf = new Map<string, number>();
  return (plan) => {
    const {module, source, filename} = plan;
    const identity = canonicalJson([module, source, filename]);
    const known = units.get(identity);
    if (known !== undefined) return known;
    const nth = (filesOf.get(module) ?? 0) + 1;
    filesOf.set(module, nth);
    const unit = compileModule(plan, tools, nth);
    units.set(identity, unit);
    return unit;
  };
}
