import type {AddressModel} from '../../codegen/address-model.js';
import {comparePaths} from '../../cpython/interpreter/installation/interpreter-paths.js';
import {tryImages} from '../../cpython/interpreter/try-images.js';
import {ok, type Result} from '../../model/result.js';
import type {RelinkOptions} from '../../pipeline/build-options.js';
import type {Places} from '../../pipeline/build-places.js';
import type {Objects, Site} from '../../pipeline/host.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import {imageCheck} from '../link/image-check.js';
import type {LinkRecipe} from '../link/link.js';
import {type InstalledToolchain, installedToolchain} from './installed-toolchain.js';
import {checkOut} from './output-path.js';

/** The toolchain of an installed Python that gets another executable. Fails with OUTPUT, and as `installedToolchain` does. */
export async function toolchainForExecutable(
  options: RelinkOptions,
  addressModel: AddressModel,
  places: Places,
  site: Site,
): Promise<Result<InstalledToolchain>> {
  const toolchain = await installedToolchain({...options, addressModel, replacesFrozen: true}, places, site);
  if (!toolchain.ok) return toolchain;
  const free = await checkOut(options.out, toolchain.value.installation);
  return free.ok ? toolchain : free;
}

/** The check of an executable that has the images itself: it has the paths of the installed one, and the images are right. */
export function executableCheck(
  objects: Objects,
  plan: FreezePlan,
  toolchain: InstalledToolchain,
  kind: 'linked' | 'grafted',
  site: Site,
): LinkRecipe['check'] {
  const check = imageCheck(objects, plan, toolchain, site);
  return async (python, isNew) => {
    const own = {...toolchain.interpreter, python};
    const right = isNew ? await comparePaths(own, toolchain.installation) : ok();
    return right.ok ? check(isNew, (modules) => tryImages(own, ['-I', '-B'], {kind}, modules)) : right;
  };
}
